"""How far a replay has come, on disk: one that was killed goes on there, and what it writes is the same to the letter."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from schemas.errors import BadSettings
from streams.replay.plan import Asked, Plan, differences

_PLAN: Final = "plan.bin"
_LOCK: Final = "lock"
_BOOKMARK: Final = "bookmark.bin"


class Bookmark(msgspec.Struct):
    """Everything that goes on from here."""

    positions: dict[int, int]  # by partition: the next offset
    written: dict[int, int]  # by partition: how much of the output there is, in its own measure
    snapshots: dict[int, list[bytes]]
    fitted: list[bytes] = []  # models that no registry has
    labels: int = 0
    seconds: float = 0.0  # how long it took up to here


class Work:
    """A directory of a replay that is not finished."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others away while the block runs. Raises :class:`BadSettings` if another process is at it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / _LOCK).open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise BadSettings(
                    f"another process is at the replay in {self.directory}; wait for it, or give another --work"
                ) from error
            try:
                yield
            finally:
                if not (self.directory / _PLAN).exists():
                    self.remove()

    def plan(self, asked: Asked, code_version: str, git_commit: str) -> Plan | None:
        """The plan of a replay that was killed; None if none was.

        Raises :class:`BadSettings` if something else is asked for now, or other code asks for it.
        """
        file = self.directory / _PLAN
        if not file.exists():
            return None
        try:
            plan = msgspec.msgpack.decode(file.read_bytes(), type=Plan)
        except msgspec.DecodeError as error:
            raise BadSettings(f"{file} is damaged ({error}); remove {self.directory} to begin anew") from error
        other = differences(plan.asked, asked)
        if (plan.code_version, plan.git_commit) != (code_version, git_commit):
            other.append(f"the code was {plan.code_version} of commit {plan.git_commit}, is {git_commit}")
        if other:
            raise BadSettings(
                f"{self.directory} holds another replay that is not finished: {'; '.join(other)}. Ask for the same again to "
                "finish it, or remove that directory"
            )
        return plan

    def keep_plan(self, plan: Plan) -> None:
        """Remember what is to be done."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._write(_PLAN, msgspec.msgpack.encode(plan))

    def bookmark(self) -> Bookmark | None:
        """Where to go on; None at the beginning."""
        file = self.directory / _BOOKMARK
        return msgspec.msgpack.decode(file.read_bytes(), type=Bookmark) if file.exists() else None

    def keep_bookmark(self, bookmark: Bookmark) -> None:
        """Remember how far it has come. What was written up to there is durable already."""
        self._write(_BOOKMARK, msgspec.msgpack.encode(bookmark))

    def remove(self) -> None:
        """Finished: nothing of it is needed any more."""
        for name in (_BOOKMARK, _PLAN, _LOCK):
            (self.directory / name).unlink(missing_ok=True)
        if self.directory.exists() and not any(self.directory.iterdir()):
            self.directory.rmdir()

    def _write(self, name: str, data: bytes) -> None:
        """All of it or nothing, whenever we are killed."""
        new = self.directory / f"{name}.new"
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.directory / name)
