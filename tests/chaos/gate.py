"""A gate before a server: while it is shut, nobody gets in and whoever was inside is put out."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

_CHUNK: Final = 65_536


class Gate:
    """Passes connections of ``port`` on to ``target`` (of 127.0.0.1), while a ``with`` lasts."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._is_shut = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._let_in, name="gate", daemon=True)
        self.turned_away = 0

    def __enter__(self) -> "Gate":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._put_out()
        self._thread.join()

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        """Shut while the block runs."""
        self._is_shut = True
        self._put_out()
        try:
            yield
        finally:
            self._is_shut = False

    def _put_out(self) -> None:
        with self._lock:
            inside, self._open = self._open, set()
        for one in inside:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _let_in(self) -> None:
        while True:
            try:
                inner, _ = self._listener.accept()
            except OSError:  # the with is over
                return
            if self._is_shut:
                self.turned_away += 1
                inner.close()
                continue
            outer = socket.create_connection(("127.0.0.1", self._target))
            with self._lock:
                self._open |= {inner, outer}
            for way in ((inner, outer), (outer, inner)):
                threading.Thread(target=_pass_on, args=way, daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    for one in (source, sink):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
            one.close()
