"""How a command is asked, and what it said: as a process of its own, as people do it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from streams.demo.children import settings_variables
from streams.settings import Settings

_LOOK_EVERY_S: Final = 0.02
_SHOWN: Final = 600


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and how long it took."""

    status: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        """Its output, if that is JSON."""
        return json.loads(self.out)

    @property
    def end(self) -> str:
        """The end of all that it said."""
        return (self.out[-_SHOWN:] + self.err[-_SHOWN:]).strip()


@dataclass(frozen=True, slots=True)
class Row:
    """A command, what was seen of it, and whether that is what should be."""

    command: str
    seen: str
    seconds: float
    is_right: bool


#: Asks ``wellsentry`` with these arguments.
Ask = Callable[[Sequence[str]], Said]


class InProcesses:
    """Each command in a process of its own, in a directory, under an installation's settings."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._directory = directory
        self._environment = {**os.environ, **settings_variables(settings)}

    def __call__(self, arguments: Sequence[str]) -> Said:
        began_s = time.monotonic()
        done = subprocess.run(
            self._command(arguments),
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr, time.monotonic() - began_s)

    def kill_once(self, arguments: Sequence[str], is_time: Callable[[], bool]) -> bool:
        """Start a command and end it with -9 as soon as ``is_time``; false if it had ended by itself before."""
        with subprocess.Popen(
            self._command(arguments), cwd=self._directory, env=self._environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            while process.poll() is None and not is_time():
                time.sleep(_LOOK_EVERY_S)
            process.send_signal(signal.SIGKILL)
            return process.wait() == -signal.SIGKILL

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "streams.cli.main", *arguments]


def row(command: str, said: Said | Iterable[Said], seen: str, *, is_right: bool) -> Row:
    """A line of the table; where it is not right, with the end of what the command said."""
    all_said = [said] if isinstance(said, Said) else list(said)
    if not is_right:
        seen = f"{seen}; " + " | ".join(f"status {one.status}: {one.end}" for one in all_said)
    return Row(command, seen, sum(one.seconds for one in all_said), is_right)
