"""Where a label's evidence lies: the topics, read without a group, so that nobody is disturbed and nothing is committed."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import aclosing
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from aiokafka import TopicPartition

from streams.reading_ranges import Bounds, Range, RangeReader
from streams.replay.given import find_labels, finder
from streams.settings import Settings


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
        self._finder: RangeReader
        self._connected = contextlib.AsyncExitStack()
        self._ranges: dict[TopicPartition, Range] = {}

    def __enter__(self) -> Self:
        async def connect() -> None:
            async with contextlib.AsyncExitStack() as connecting:
                self._reader = await connecting.enter_async_context(RangeReader(self._settings.broker))
                self._finder = await connecting.enter_async_context(finder(self._settings.broker))
                self._connected = connecting.pop_all()

        try:
            self._runner.run(connect())
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._runner.run(self._connected.__aexit__(kind, error, trace))
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
        tp, wanted = TopicPartition(topic, partition), {partition: Range(since_offset, end_offset)}
        whole = {tp: self._range(topic, partition)}
        stacks = len(self._settings.worker.stacks)
        place = self._runner.run(find_labels(self._finder, whole, wanted, stacks))[tp]
        return self._read(topic, partition, place.first_offset, place.end_offset, key, enough)

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
