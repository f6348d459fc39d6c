"""wellsentry's own programs as child processes, each behind a guard: they end with whoever started them."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from streams.parts import guard
from streams.settings import Settings

_STOP_WITHIN_S = guard.STOP_WITHIN_S + 5.0


def settings_variables(settings: Settings, *, defaults: bool = True) -> dict[str, str]:
    """Settings as the environment variables that a child reads them from; without ``defaults`` those that are set otherwise.

    >>> from streams.settings import load_settings
    >>> settings_variables(load_settings(worker={"stacks": ("load", "flow")}))["WELLSENTRY_WORKER__STACKS"]
    '["load", "flow"]'
    """
    found: dict[str, str] = {}
    for section, values in settings.model_dump(exclude_defaults=not defaults).items():
        for name, value in values.items():
            if value is not None:
                found[f"WELLSENTRY_{section}__{name}".upper()] = _as_text(value)
    return found


def _as_text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    is_structure = isinstance(value, tuple | list | dict | bool)
    return json.dumps(value, default=_as_text) if is_structure else str(value)


class Child:
    """``wellsentry COMMAND`` with its log in ``directory``, which is deleted if the starter just vanishes."""

    def __init__(self, command: str, settings: Settings, directory: Path, *arguments: str) -> None:
        self.command = command
        self.log = directory / f"{command}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    guard.__file__,
                    str(directory),
                    sys.executable,
                    "-m",
                    "streams.cli.main",
                    command,
                    *arguments,
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **settings_variables(settings)},
                start_new_session=True,  # Ctrl-C is for us; we end it in our own order
            )

    @property
    def status(self) -> int | None:
        """Exit status; None while it runs."""
        return self._process.poll()

    def stop(self) -> int:
        """Ask it to end and wait; its exit status. A second time changes nothing."""
        pipe = self._process.stdin
        assert pipe is not None
        if not pipe.closed:
            with contextlib.suppress(BrokenPipeError), pipe:
                pipe.write(guard.KEEP)
        try:
            return self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    @property
    def ready(self) -> bool:
        """Whether it has said that it takes what comes."""
        return '"action": "ready"' in self.log.read_text(errors="replace")

    def last_said(self, action: str) -> dict[str, Any] | None:
        """Its newest log line with this action; None if there is none."""
        for line in reversed(self.log.read_text(errors="replace").splitlines()):
            if f'"action": "{action}"' in line:
                found: dict[str, Any] = json.loads(line)
                return found
        return None

    def wait(self, within_s: float) -> int:
        """Wait for it to end by itself; its exit status."""
        return self._process.wait(within_s)

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
