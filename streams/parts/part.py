"""What all parts share: a child process with a port, a directory, a log and a deadline."""

import abc
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from schemas.errors import BrokerError, StoreError
from streams.parts import guard
from streams.parts.ports import free_port, is_listening

_LOOK_EVERY_S = 0.05
#: Another process may take a port between our finding it free and the part's listening.
_ATTEMPTS = 3
_LOG_LINES_SHOWN = 15


class Part(abc.ABC):
    """A part as a child process. A subclass says how it is started and when it is ready."""

    name: ClassVar[str]
    start_within_s: ClassVar[float] = 60.0
    #: Raised when the part does not come up.
    error: ClassVar[type[BrokerError] | type[StoreError]]

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._directory: Path | None = None
        self._port: int | None = None

    # -- what a subclass says

    @abc.abstractmethod
    def command(self, port: int) -> list[str]:
        """The command that runs the part in :attr:`directory`. Raises MissingPart when something is not installed."""

    @abc.abstractmethod
    def address(self, port: int) -> str:
        """How clients name the part."""

    @abc.abstractmethod
    def answers(self) -> bool:
        """Whether the part, which accepts connections, answers a question in its own protocol."""

    # -- what callers use

    @property
    def url(self) -> str:
        """How clients name the part, the same after a restart."""
        if self._port is None:
            raise self.error(f"{self.name} has not been started")
        return self.address(self._port)

    @property
    def directory(self) -> Path:
        """Where the part keeps its files; deleted by :meth:`close`."""
        if self._directory is None:
            raise self.error(f"{self.name} has not been started")
        return self._directory

    @property
    def pid(self) -> int | None:
        """Process id of the part's guard, None when it is not running."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start and return when the part answers. Keeps port and data of an earlier start.

        Raises MissingPart when something is not installed, and :attr:`error` when the part does not come up in time.
        """
        if self._process is not None:
            raise self.error(f"{self.name} is running already, at {self.url}")
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix=f"wellsentry-{type(self).__name__.lower()}-"))
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process and keep its data, for :meth:`start` to go on with."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # broken when it ended by itself
            pipe.write(guard.KEEP)
        try:
            process.wait(guard.STOP_WITHIN_S + 5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self) -> None:
        """End it and start it again, on the same port and the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the process and delete its data."""
        try:
            self.stop()
        finally:
            directory, self._directory, self._port = self._directory, None, None
            if directory is not None:
                shutil.rmtree(directory, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside

    def _start(self) -> None:
        keep_port = self._port is not None
        for attempt in range(1, _ATTEMPTS + 1):
            if not keep_port:
                self._port = free_port()
            assert self._port is not None
            self._launch(self._port)
            if self._wait_until_ready(self._port):
                return
            self.stop()
            if attempt == _ATTEMPTS:
                raise self.error(f"{self.name} ended while starting; the end of its log:\n{self._log_end()}")

    def _launch(self, port: int) -> None:
        command = [sys.executable, "-I", "-S", guard.__file__, str(self.directory), *self.command(port)]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.directory,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in a terminal is for the program, which then ends its parts in order
            )

    def _wait_until_ready(self, port: int) -> bool:
        """False when the process ended instead."""
        assert self._process is not None
        deadline = time.monotonic() + self.start_within_s
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            if is_listening(port) and self.answers():
                # Somebody else may be listening there, and our own process about to end because of it.
                return self._process.poll() is None
            time.sleep(_LOOK_EVERY_S)
        raise self.error(
            f"{self.name} did not answer within {self.start_within_s:.0f} s; the end of its log:\n{self._log_end()}"
        )

    def _log_end(self) -> str:
        lines = (self.directory / "log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES_SHOWN:]) or "(nothing was written)"
