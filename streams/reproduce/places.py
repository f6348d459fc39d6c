"""Where a label's evidence lies: the topics, read without a group, so that nobody is disturbed and nothing is committed."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Final, NamedTuple, Protocol, Self

import msgspec
from aiokafka import TopicPartition

from streams.reading_ranges import Bounds, Range, RangeReader
from streams.settings import Settings

#: Labels of a partition come nearly in the order of their readings: those judged together may be out of it by this much.
_OUT_OF_ORDER: Final = 20_000
#: So many records are read rather than looked for the right place among them.
_READ_ALL: Final = 50_000
#: Records that are looked at in one place, to find a first label among revisions.
_PROBE: Final = 200


class Message(NamedTuple):
    """A record of a topic, as the engine's intake takes it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


#: Told each record in its order; true once no more are needed.
Enough = Callable[[Message], bool]


class Places(Protocol):
    """What is asked of the topics. ``key``: records of this key alone."""

    def reading(self, partition: int, offset: int) -> Message | None:
        """One reading; None if it is not there (any more)."""
        ...

    def readings(self, partition: int, key: bytes, first_offset: int, end_offset: int, enough: Enough) -> list[Message]:
        """A machine's readings from an offset up to another."""
        ...

    def first_reading(self, partition: int) -> int:
        """Offset of the oldest reading that the topic still has; of older ones nothing is known."""
        ...

    def labels(
        self, partition: int, key: bytes | None, since_offset: int, end_offset: int, enough: Enough
    ) -> list[Message]:
        """Labels of readings from an offset up to another; some of others may come with them."""
        ...

    def models(self, partition: int) -> list[Message]:
        """What the models topic has."""
        ...


class OnTopics:
    """The topics of an installation; a ``with`` connects and lets go.

    Raises :class:`schemas.errors.BrokerError` where Kafka cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._topics = settings, settings.topics
        self._runner = asyncio.Runner()
        self._reader: RangeReader
        self._ranges: dict[TopicPartition, Range] = {}

    def __enter__(self) -> Self:
        async def connect() -> RangeReader:
            return await RangeReader(self._settings.broker).__aenter__()

        try:
            self._reader = self._runner.run(connect())
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._runner.run(self._reader.__aexit__(kind, error, trace))
        finally:
            self._runner.close()

    def reading(self, partition: int, offset: int) -> Message | None:
        found = self._read(self._topics.readings.name, partition, offset, offset + 1, None, lambda _: True)
        return found[0] if found and found[0].offset == offset else None

    def readings(self, partition: int, key: bytes, first_offset: int, end_offset: int, enough: Enough) -> list[Message]:
        return self._read(self._topics.readings.name, partition, first_offset, end_offset, key, enough)

    def first_reading(self, partition: int) -> int:
        return self._range(self._topics.readings.name, partition).first_offset

    def labels(
        self, partition: int, key: bytes | None, since_offset: int, end_offset: int, enough: Enough
    ) -> list[Message]:
        topic = self._topics.labels.name
        first, _ = self._place_of(topic, partition, since_offset - _OUT_OF_ORDER)
        _, end = self._place_of(topic, partition, end_offset + _OUT_OF_ORDER)
        return self._read(topic, partition, first, end, key, enough)

    def models(self, partition: int) -> list[Message]:
        return self._read(self._topics.models.name, partition, 0, None, None, lambda _: False)

    def _range(self, topic: str, partition: int) -> Range:
        tp = TopicPartition(topic, partition)
        if tp not in self._ranges:
            found = self._runner.run(self._reader.find(topic, Bounds(partitions=[partition])))
            self._ranges[tp] = found[tp]
        return self._ranges[tp]

    def _read(
        self, topic: str, partition: int, first: int, end: int | None, key: bytes | None, enough: Enough
    ) -> list[Message]:
        there, tp = self._range(topic, partition), TopicPartition(topic, partition)
        wanted = Range(max(first, there.first_offset), there.end_offset if end is None else min(end, there.end_offset))
        found: list[Message] = []

        async def read() -> None:
            if not len(wanted):
                return
            async with aclosing(self._reader.read({tp: wanted})) as runs:
                async for run in runs:
                    for record in run.records:
                        if key is not None and record.key != key:
                            continue
                        message = Message(record.offset, record.timestamp, record.key, record.value)
                        found.append(message)
                        if enough(message):
                            return

        self._runner.run(read())
        return found

    def _place_of(self, topic: str, partition: int, source_offset: int) -> tuple[int, int]:
        """Between which two places on the labels topic those of a reading begin.

        What comes behind a label of an older reading has all the newer ones in it, be it once more after a crash. So one may
        look for the place by halves.
        """
        there = self._range(topic, partition)
        low, high = there.first_offset, there.end_offset
        while high - low > _READ_ALL:
            middle = (low + high) // 2
            found = self._source_offset_at(topic, partition, middle)
            if found is None or found >= source_offset:
                high = middle
            else:
                low = middle
        return low, high

    def _source_offset_at(self, topic: str, partition: int, offset: int) -> int | None:
        """Which reading the first label from ``offset`` on is of, revisions aside."""
        for record in self._read(topic, partition, offset, offset + _PROBE, None, lambda _: False):
            label: dict[str, Any] = msgspec.json.decode(record.value or b"null") or {"revision": 1}
            if label["revision"] == 0:
                return int(label["source_offset"])
        return None
