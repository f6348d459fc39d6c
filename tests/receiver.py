"""A real HTTP receiver of webhooks on a free port, which answers as a test says."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of the test vectors of Standard Webhooks


@dataclass(frozen=True, slots=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """By which repeats are told."""
        return self.headers["webhook-id"]

    @property
    def notice(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


#: Status, headers, body; None breaks the connection off.
Answer = tuple[int, dict[str, str], bytes] | None
OK: Answer = (204, {}, b"")


class Receiver:
    """Keeps all it got. ``answer`` says what to answer, and may be changed at any time."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], Answer] = lambda _: OK
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                got = Got(self.path, headers, self.rfile.read(size))
                receiver.got.append(got)
                answer = receiver.answer(got)
                self.close_connection = True
                if answer is not None:
                    status, answer_headers, body = answer
                    with contextlib.suppress(OSError):  # whoever asked may be gone
                        self.send_response(status)
                        for name, value in {"content-length": str(len(body)), **answer_headers}.items():
                            self.send_header(name, value)
                        self.end_headers()
                        self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A test breaks connections on purpose."""

        self._server = Server(("127.0.0.1", port), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def ids(self) -> list[str]:
        """Of all it got, in order."""
        return [one.id for one in self.got]

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def receiving(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver while the block runs."""
    receiver = Receiver(port, tls)
    try:
        yield receiver
    finally:
        receiver.close()
