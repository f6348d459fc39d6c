"""The users file on disk: read at the start, and again when it changes, so that nobody is let in who was taken out of it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from schemas.errors import BadSettings
from streams.dashboard.access.users import Users, users_of
from streams.log import get_logger

log = get_logger(__name__)

_LOOK_EVERY_S: Final = 1.0


class UsersFile:
    """Raises :class:`BadSettings` if it cannot be used at the start. Later what was in force stays, and the log says why."""

    def __init__(self, path: Path, now_s: Callable[[], float]) -> None:
        self._path, self._now_s = path, now_s
        self._state = self._stat()
        self._users = self._read()
        self._looked_s = now_s()

    @property
    def users(self) -> Users:
        """As the file has them now, or had a second ago."""
        now_s = self._now_s()
        if now_s - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            self._look_again()
        return self._users

    def _look_again(self) -> None:
        state = self._stat()
        if state == self._state:
            return
        self._state = state
        try:
            self._users = self._read()
        except BadSettings as error:
            log.warning("users file changed and cannot be used: those of before stay", action="users", why=str(error))
        else:
            log.info(
                "users file read again", action="users", users=len(self._users.users), groups=len(self._users.groups)
            )

    def _read(self) -> Users:
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(f"users file {self._path} cannot be read: {error}. See dashboard.users_file") from error
        return users_of(text, str(self._path))

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - through links, as Kubernetes swaps them
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
