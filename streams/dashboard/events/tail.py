"""The tail: the newest records of some topics, in memory once for all readers of events. Pure, and of one thread.

It holds no more than so many bytes. Who asks for what has left it is told so, and reads Kafka instead.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from aiokafka import TopicPartition

#: What a record takes in memory beside its bytes.
_ENTRY_BYTES: Final = 250


class About(msgspec.Struct, gc=False):
    """What readers choose by, of a label, an incident, or feedback."""

    client_id: str
    machine_id: str
    stack: str | None = None
    label: str | None = None


class Entry:
    """One record. What it is about is found out when the first reader asks."""

    __slots__ = ("_about", "_value", "offset")

    def __init__(self, offset: int, value: bytes | None) -> None:
        self.offset, self._value = offset, value
        self._about: About | None = None

    @property
    def about(self) -> About | None:
        """None where it is nothing that a reader could be sent."""
        if self._about is None and self._value is not None:
            self._about, self._value = _read(self._value)
        return self._about

    @property
    def data(self) -> bytes:
        """It on one line."""
        return self._value or b""


_about: Final = msgspec.json.Decoder(About).decode
_anything: Final = msgspec.json.Decoder().decode


def _read(value: bytes) -> tuple[About | None, bytes | None]:
    try:
        value.decode()
        about = _about(value)
        if b"\n" in value or b"\r" in value:  # a line's end would end the event's data
            value = msgspec.json.encode(_anything(value))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None, None
    return about, value


@dataclass(slots=True)
class Block:
    """Records of one partition that came together."""

    partition: int  # its place in the tail's list
    entries: list[Entry]
    size: int = field(default=0)  # bytes


class Tail:
    """The newest records of ``partitions``, of at most ``most_bytes``."""

    def __init__(self, partitions: Sequence[TopicPartition], most_bytes: int) -> None:
        self.partitions = tuple(partitions)
        self.blocks: dict[int, Block] = {}  # in the order in which they came, numbered without a gap
        self.first = 0  # the number of the oldest block
        self.end = 0  # the number that the next one gets
        self.size = 0  # bytes
        self._most_bytes = most_bytes
        self._place = {tp: at for at, tp in enumerate(self.partitions)}
        self._held_from: list[int | None] = [None] * len(self.partitions)  # offsets: from there on nothing is missing
        self.positions = [0] * len(self.partitions)  # offsets: what comes next
        self._news = asyncio.Event()

    def stands_at(self, tp: TopicPartition, offset: int) -> None:
        """Whoever fills the tail has come to ``offset``, whether or not records came on the way."""
        place = self._place.get(tp)
        if place is None:
            return
        self.positions[place] = max(self.positions[place], offset)
        if self._held_from[place] is None:
            self._held_from[place] = offset
        self._tell()

    def take(self, tp: TopicPartition, records: Sequence[Any]) -> None:
        """Records that follow those of their partition before; of other topics' partitions nothing is kept."""
        place = self._place.get(tp)
        if place is None or not records:
            return
        if self._held_from[place] is not None:  # a consumer that joins again may read some twice
            records = [record for record in records if record.offset >= self.positions[place]]
            if not records:
                return
        entries = [Entry(record.offset, record.value) for record in records]
        size = sum(len(record.value or b"") + _ENTRY_BYTES for record in records)
        self.blocks[self.end] = Block(place, entries, size)
        self.end += 1
        self.size += size
        self.positions[place] = entries[-1].offset + 1
        if self._held_from[place] is None:
            self._held_from[place] = entries[0].offset
        while self.size > self._most_bytes:
            self._drop_oldest()
        self._tell()

    def holds(self, positions: Iterable[int]) -> bool:
        """Whether nothing is missing for who stands there."""
        return all(
            since is not None and since <= position for since, position in zip(self._held_from, positions, strict=True)
        )

    def has_come_to(self, positions: Iterable[int]) -> bool:
        """Whether all that is before ``positions`` has been here."""
        return all(mine >= position for mine, position in zip(self.positions, positions, strict=True))

    async def news(self, within_s: float) -> None:
        """Return when something has come, at the latest after ``within_s``."""
        try:
            async with asyncio.timeout(within_s):
                await self._news.wait()
        except TimeoutError:
            return

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _drop_oldest(self) -> None:
        block = self.blocks.pop(self.first)
        self.first += 1
        self.size -= block.size
        self._held_from[block.partition] = block.entries[-1].offset + 1
