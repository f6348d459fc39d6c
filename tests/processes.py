"""wellsentry's own processes, started and ended by tests."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from streams.demo.children import settings_variables as variables
from streams.settings import Settings

_END_WITHIN_S = 40.0


class Process:
    """A child process whose log is kept in a file."""

    def __init__(self, arguments: list[str], settings: Settings, log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**os.environ, **variables(settings)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """Exit status, minus the signal that ended it; None while it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def stands_still(self) -> bool:
        """Whether it was stopped by a signal, and not yet told to go on."""
        return Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"

    def has_said(self, action: str) -> int:
        """How often its log (of JSON lines) has this action."""
        return self.log.read_text(errors="replace").count(f'"action": "{action}"')

    def kill(self) -> None:
        """End it with -9."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(_END_WITHIN_S)

    def end(self) -> int:
        """Ask it to end; its exit status."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()  # or it would outlive the test
            raise

    def tail(self, size: int = 3000) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-size:]


@contextlib.contextmanager
def running(
    command: str, settings: Settings, directory: Path, *, script: str | None = None, arguments: Sequence[str] = ()
) -> Iterator[Process]:
    """``wellsentry COMMAND`` (or a script of Python) while the block runs."""
    program = ["-c", script] if script else ["-m", "streams.cli.main", command]
    process = Process([*program, *arguments], settings, directory / f"{command}-{time.monotonic_ns()}.log")
    try:
        yield process
    finally:
        if process.running:
            process.end()


def wait_until(
    condition: Callable[[], Any], within_s: float = 60.0, what: str = "condition", process: Any = None
) -> Any:
    """What ``condition`` gives once it is true; fails after ``within_s`` or when the process it depends on has ended."""
    deadline = time.monotonic() + within_s
    while True:
        found = condition()
        if found:
            return found
        if process is not None and not process.running:
            raise AssertionError(f"process ended while waiting for {what}:\n{process.tail()}")
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what} within {within_s} s" + (f":\n{process.tail()}" if process else ""))
        time.sleep(0.05)


__all__ = ["Process", "running", "variables", "wait_until"]
