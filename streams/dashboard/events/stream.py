"""One reader's stream of events, from its id on, until it goes away or the dashboard ends."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from streams.access.broker import for_aiokafka
from streams.dashboard.events.catching_up import HEARTBEAT_S, CatchingUp, Lost, Reset
from streams.dashboard.events.place import CHUNK_BYTES, Chosen, Place
from streams.dashboard.events.positions import Ids
from streams.dashboard.events.tail import Tail
from streams.log import get_logger
from streams.settings import BrokerSettings

log = get_logger(__name__)

#: How soon a browser tries again after a connection broke.
_RETRY_MS: Final = 2_000
_TRY_AGAIN_S: Final = 2.0
#: So long a dashboard that has just started may be behind the one that gave an id.
_COMES_UP_S: Final = 5.0
#: Of records that a reader does not want so many are passed by at once: some milliseconds.
_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Events:
    """The stream of some topics: ``kinds`` names the events of each partition of its tail."""

    name: str
    kinds: Sequence[bytes]
    tail: Tail
    broker: BrokerSettings
    caught_up: asyncio.Event
    ending: asyncio.Event  # set when the dashboard ends

    @property
    def ids(self) -> Ids:
        """Of its events."""
        return Ids(self.name, len(self.kinds))

    async def read(self, chosen: Chosen, since: Sequence[int] | None) -> AsyncGenerator[bytes]:
        """Chunks of events after ``since``; of those that come from now on where that is None."""
        yield b"retry: %d\n\n" % _RETRY_MS
        while not self.caught_up.is_set():
            if self.ending.is_set():
                return
            await self.tail.news(0.1)
        place = Place(self.ids, self.kinds, chosen, self.tail.positions if since is None else since)
        if since is None:
            yield place.heartbeat()  # so that there is an id to come back with
        elif not await self._comes_up_to(since):
            yield await self._anew(place)
        while not self.ending.is_set():
            if self.tail.holds(place.positions):
                async for chunk in self._from_tail(place):
                    yield chunk
            else:
                async with aclosing(self._behind(place)) as behind:
                    async for chunk in behind:
                        yield chunk

    async def _behind(self, place: Place) -> AsyncGenerator[bytes]:
        """Until the reader has come up to the tail. A broker that is gone is tried again, and the reader is kept."""
        try:
            async with aclosing(CatchingUp(self.broker, self.tail, self.ending).run(place)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except KafkaError as error:
            log.warning("a reader of events waits for Kafka", action="wait", stream=self.name, why=repr(error))
            await self.tail.news(_TRY_AGAIN_S)
            yield place.heartbeat()

    async def _from_tail(self, place: Place) -> AsyncIterator[bytes]:
        """Until the tail has moved on beyond a slow reader."""
        tail, number, begin = self.tail, self.tail.first, 0
        quiet_s = asyncio.get_running_loop().time()
        while not self.ending.is_set() and number >= tail.first:
            chunk: list[bytes] = []
            room, passed = CHUNK_BYTES, 0
            while number < tail.end and room > 0 and passed < _AT_ONCE:
                block = tail.blocks[number]
                done, room = place.go(block.partition, block.entries, begin, chunk, room)
                passed += done - begin
                number, begin = (number + 1, 0) if done == len(block.entries) else (number, done)
            now_s = asyncio.get_running_loop().time()
            if chunk:
                yield b"".join(chunk)
                quiet_s = now_s
            elif now_s - quiet_s >= HEARTBEAT_S:
                yield place.heartbeat()
                quiet_s = now_s
            elif number == tail.end:
                await tail.news(0.5)
            else:
                await asyncio.sleep(0)

    async def _comes_up_to(self, positions: Sequence[int]) -> bool:
        """Whether all before ``positions`` was on the topics."""
        within = asyncio.get_running_loop().time() + _COMES_UP_S
        while not self.tail.has_come_to(positions):
            if asyncio.get_running_loop().time() > within or self.ending.is_set():
                return False
            await self.tail.news(0.1)
        return True

    async def _anew(self, place: Place) -> bytes:
        """Topics hold less than the reader has had, so they were made anew: it gets what they hold, from the start."""
        consumer = AIOKafkaConsumer(**for_aiokafka(self.broker), enable_auto_commit=False)
        await consumer.start()
        try:
            firsts = await consumer.beginning_offsets(self.tail.partitions)
            ends = await consumer.end_offsets(self.tail.partitions)
        finally:
            await consumer.stop()
        lost = []
        for at, tp in enumerate(self.tail.partitions):
            had = place.positions[at]
            if had > max(self.tail.positions[at], ends[tp]):
                lost.append(Lost(tp.topic, tp.partition, had, firsts[tp]))
                place.positions[at] = firsts[tp]
        if not lost:
            return place.heartbeat()  # the dashboard is behind the topics, and will come up
        why = "the topic was made anew since: all that it holds now follows"
        return place.event(b"reset", msgspec.json.encode(Reset(why, lost)))
