"""Labels that are not as they were, kept in a file while a replay is compared: the page draws some of them."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

import msgspec

#: Read back of a label: what is drawn of it.
_FILE = "differences.jsonl"


class Point(msgspec.Struct, frozen=True, gc=False):
    """What is drawn of a label."""

    label_id: str
    client_id: str
    machine_id: str
    stack: str
    event_time: str
    value: float | None
    median: float | None
    expected_low: float | None
    expected_high: float | None
    surprise: float | None
    label: str
    revision: int


read_point = msgspec.json.Decoder(Point).decode


class Difference(NamedTuple):
    """A label as it was given and as it is now; None where there is none."""

    then: Point | None
    now: Point | None


class Differences:
    """Writes them while it is open, and gives them back."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / _FILE
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Begin anew."""
        self._file = self._path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """All of them are there."""
        if self._file is not None:
            self._file.close()

    def add(self, then: bytes | None, now: bytes | None) -> None:
        """Keep one."""
        if self._file is not None:
            self._file.write((then or b"") + b"\t" + (now or b"") + b"\n")

    def __iter__(self) -> Iterator[Difference]:
        """All of them, in the order in which they were found."""
        with self._path.open("rb") as file:
            for line in file:
                then, now = line[:-1].split(b"\t")
                yield Difference(read_point(then) if then else None, read_point(now) if now else None)

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)
