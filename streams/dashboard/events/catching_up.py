"""For readers that are behind the tail: a Kafka consumer of their own, in no group, that fetches little at a time."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from streams.access.broker import for_aiokafka
from streams.dashboard.events.place import CHUNK_BYTES, Place
from streams.dashboard.events.tail import Entry, Tail
from streams.settings import BrokerSettings

#: A fetch brings so much at most, of all partitions together (a single larger record aside).
_FETCH_BYTES: Final = 524_288
_FETCH_MS: Final = 100
_AT_ONCE: Final = 500
#: A reader that wants little of much is shown so often that something goes on.
HEARTBEAT_S: Final = 10.0
_GONE: Final = (
    "the topic does not hold any more what came next: ask /api/v1 for what was missed; all that it still holds follows"
)


class Lost(msgspec.Struct):
    """What a topic does not hold any more, of one partition."""

    topic: str
    partition: int
    from_offset: int
    to_offset: int  # the first that is there


class Reset(msgspec.Struct):
    """Data of the event ``reset``: the stream goes on, and some of what came before is missing."""

    why: str
    lost: list[Lost]


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """Takes readers on from where they stand until they have come up to the tail, or the dashboard ends."""

    broker: BrokerSettings
    tail: Tail
    ending: asyncio.Event

    async def run(self, place: Place) -> AsyncGenerator[bytes]:
        """Chunks for the reader at ``place``. Close it: it holds a connection."""
        consumer = AIOKafkaConsumer(
            **for_aiokafka(self.broker),
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=_FETCH_MS,
            fetch_max_bytes=_FETCH_BYTES,
            max_partition_fetch_bytes=max(16_384, _FETCH_BYTES // len(self.tail.partitions)),
        )
        await consumer.start()
        try:
            consumer.assign(self.tail.partitions)
            if reset := await self._begin(consumer, place):
                yield reset
            told_s = time.monotonic()
            while not self.tail.holds(place.positions) and not self.ending.is_set():
                try:
                    found = await consumer.getmany(timeout_ms=_FETCH_MS, max_records=_AT_ONCE)
                except OffsetOutOfRangeError:  # the topic's retention has overtaken a slow reader
                    if reset := await self._begin(consumer, place):
                        yield reset
                    continue
                for chunk in self._sent(place, found):
                    yield chunk
                    told_s = time.monotonic()
                await self._pass_by_what_is_no_record(consumer, place, found)
                if time.monotonic() - told_s > HEARTBEAT_S:
                    yield place.heartbeat()
                    told_s = time.monotonic()
        finally:
            await consumer.stop()

    async def _begin(self, consumer: Any, place: Place) -> bytes | None:
        """Go where the reader stands; what is not there any more is passed by, and told."""
        firsts = await consumer.beginning_offsets(self.tail.partitions)
        lost = []
        for at, tp in enumerate(self.tail.partitions):
            if place.positions[at] < firsts[tp]:
                lost.append(Lost(tp.topic, tp.partition, place.positions[at], firsts[tp]))
                place.pass_by(at, firsts[tp])
            consumer.seek(tp, place.positions[at])
        return place.event(b"reset", msgspec.json.encode(Reset(_GONE, lost))) if lost else None

    def _sent(self, place: Place, found: dict[TopicPartition, list[Any]]) -> Iterator[bytes]:
        for tp, records in found.items():
            entries = [Entry(record.offset, record.value) for record in records]
            done = 0
            while done < len(entries):
                chunk: list[bytes] = []
                done, _ = place.go(self.tail.partitions.index(tp), entries, done, chunk, CHUNK_BYTES)
                if chunk:
                    yield b"".join(chunk)

    async def _pass_by_what_is_no_record(self, consumer: Any, place: Place, found: dict[TopicPartition, Any]) -> None:
        """Markers of transactions, which no fetch shows."""
        for at, tp in enumerate(self.tail.partitions):
            if tp not in found:
                place.pass_by(at, await consumer.position(tp))
