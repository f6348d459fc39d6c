"""A reader's place in its topics, and what it is sent on the way. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from streams.dashboard.events.positions import Ids
from streams.dashboard.events.tail import About, Entry
from streams.dashboard.viewer import Viewer

#: A reader is sent so much at once: what a slow one costs in memory.
CHUNK_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which events a reader wants, and may have."""

    viewer: Viewer
    client: str | None = None
    machine: str | None = None
    stack: str | None = None  # what is said about a machine as a whole is about each of its stacks
    label: str | None = None

    def takes(self, about: About) -> bool:
        """Whether it is one of them."""
        return (
            self.viewer.sees(about.client_id)
            and self.client in (None, about.client_id)
            and self.machine in (None, about.machine_id)
            and (self.stack is None or about.stack in (None, self.stack))
            and self.label in (None, about.label)
        )


class Place:
    """Where a reader stands, and the way on. ``kinds`` names the events of each partition."""

    def __init__(self, ids: Ids, kinds: Sequence[bytes], chosen: Chosen, positions: Iterable[int]) -> None:
        self._ids, self._kinds, self._takes = ids, kinds, chosen.takes
        self.positions = list(positions)

    def go(
        self, partition: int, entries: Sequence[Entry], begin: int, chunk: list[bytes], room: int
    ) -> tuple[int, int]:
        """On from ``entries[begin]``; events go to ``chunk`` until ``room`` is used up.

        Returns up to which entry it came, and how much room is left. What it has passed before it is not sent again.
        """
        positions, at = self.positions, begin
        if entries[-1].offset < positions[partition]:
            return len(entries), room
        while at < len(entries) and room > 0:
            entry = entries[at]
            at += 1
            if entry.offset < positions[partition]:
                continue
            positions[partition] = entry.offset + 1
            about = entry.about
            if about is not None and self._takes(about):
                event = b"id: %b\nevent: %b\ndata: %b\n\n" % (self._id(), self._kinds[partition], entry.data)
                chunk.append(event)
                room -= len(event)
        return at, room

    def pass_by(self, partition: int, offset: int) -> None:
        """There is nothing before ``offset``."""
        self.positions[partition] = max(self.positions[partition], offset)

    def heartbeat(self) -> bytes:
        """Shows that the connection lives, and moves the id on over all that the reader did not want."""
        return b": nothing new\nid: %b\n\n" % self._id()

    def event(self, kind: bytes, data: bytes) -> bytes:
        """One that is of no record."""
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (self._id(), kind, data)

    def _id(self) -> bytes:
        return self._ids.text(self.positions).encode()
