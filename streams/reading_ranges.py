"""Ranges of partitions, read from here to there, fast and without a group: nobody is disturbed, nothing is committed.

Records come as they lie in a fetch (:mod:`streams.runs.batches`), as the worker takes them, cut into runs.

async with RangeReader(settings.broker) as reader:
    ranges = await reader.find(settings.topics.readings.name, Bounds(from_ms=..., to_ms=...))
    async for run in reader.read(ranges):
        ...
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import BrokerError
from streams.access.broker import for_aiokafka, no_topic
from streams.access.why import start
from streams.runs.batches import Fetched, all_records
from streams.runs.run import MAX_RUN, Run
from streams.settings import BrokerSettings

_FETCH_MS: Final = 200
#: Of one partition: few fetches, and those large.
_FETCH_BYTES: Final = 4_000_000
#: The embedded broker does not know where a partition ends: nothing new for so long is the end.
_QUIET_S: Final = 1.0
#: No record is as new: asked for it, a broker that looks at times has no answer.
_NEVER_MS: Final = 2**52


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is wanted of a topic, of each of its partitions alike; None: from the first, to the last that is there now.

    Times are Kafka's timestamps of the records: a range begins with the first record that is as new as ``from_ms``, and ends
    before the first that is as new as ``to_ms``. An offset beside a time narrows the range further.
    """

    from_ms: int | None = None
    to_ms: int | None = None
    from_offset: int | None = None
    to_offset: int | None = None  # the first that is not wanted
    partitions: Collection[int] | None = None  # None: all


@dataclass(frozen=True, slots=True)
class Range:
    """Offsets of one partition, the last one not included; there may be gaps.

    >>> len(Range(3, 10)), len(Range(3, 3))
    (7, 0)
    """

    first_offset: int
    end_offset: int

    def __len__(self) -> int:
        return max(0, self.end_offset - self.first_offset)


Ranges = Mapping[TopicPartition, Range]


class RangeReader:
    """A consumer of its own, that belongs to no group."""

    def __init__(self, broker: BrokerSettings, fetch_bytes: int = _FETCH_BYTES) -> None:
        """``fetch_bytes``: of one partition, about."""
        self._broker = broker
        self._consumer = AIOKafkaConsumer(
            **for_aiokafka(broker),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_FETCH_MS,
            max_partition_fetch_bytes=fetch_bytes,
        )

    async def __aenter__(self) -> Self:
        """Connect. Raises :class:`BrokerError` if Kafka cannot be reached or does not let us in."""
        try:
            await start(self._consumer, self._broker)
        except BaseException:
            await self._consumer.stop()
            raise
        await asyncio.sleep(0)  # what aiokafka has begun must have run once, or stopping it at once fails
        self._consumer._fetcher._records = Fetched(lambda _: True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the broker; what Kafka refused meanwhile is told as a :class:`BrokerError`."""
        await self._consumer.stop()
        if isinstance(error, KafkaError):
            raise BrokerError(
                f"Kafka at {self._broker.url} cannot be read: {error!r}; try `wellsentry doctor`"
            ) from error

    async def find(self, topic: str, bounds: Bounds) -> dict[TopicPartition, Range]:
        """The ranges of ``topic`` within ``bounds``, as it is now; empty ones too. Raises :class:`BrokerError` without it."""
        there = (await self._consumer._client.fetch_all_metadata()).partitions_for_topic(topic)
        if not there:  # asked for its records, aiokafka would wait for it for ever
            raise no_topic(topic)
        wanted = sorted(there if bounds.partitions is None else bounds.partitions)
        missing = [number for number in wanted if number not in there]
        if missing:
            raise BrokerError(f"topic {topic} has {len(there)} partitions, and none of number {missing[0]}")
        tps = [TopicPartition(topic, number) for number in wanted]
        if not tps:
            return {}
        firsts = await self._consumer.beginning_offsets(tps)
        if any((await self._consumer.offsets_for_times(dict.fromkeys(tps, _NEVER_MS))).values()):
            found = await self._by_reading(tps, bounds)
        else:
            found = await self._by_asking(tps, bounds)
        return {tp: _narrowed(found[tp], int(firsts[tp]), bounds) for tp in tps}

    async def all_there_is(self, topic: str, partitions: Collection[int]) -> dict[TopicPartition, Range]:
        """These partitions of ``topic`` from their first record to where the broker says they end. The embedded one says
        too little after a batch of several."""
        tps = [TopicPartition(topic, number) for number in sorted(partitions)]
        firsts, ends = await self._consumer.beginning_offsets(tps), await self._consumer.end_offsets(tps)
        return {tp: Range(int(firsts[tp]), int(ends[tp])) for tp in tps}

    async def _by_asking(self, tps: list[TopicPartition], bounds: Bounds) -> dict[TopicPartition, Range]:
        ends = await self._consumer.end_offsets(tps)
        begins = await self._since(tps, bounds.from_ms, dict.fromkeys(tps, 0), ends)
        stops = await self._since(tps, bounds.to_ms, ends, ends)
        return {tp: Range(begins[tp], stops[tp]) for tp in tps}

    async def _since(
        self, tps: list[TopicPartition], time_ms: int | None, without: Mapping[Any, int], ends: Mapping[Any, int]
    ) -> dict[TopicPartition, int]:
        """By partition: the first offset as new as ``time_ms``, the end where none is; ``without`` where no time is given."""
        if time_ms is None:
            return {tp: int(without[tp]) for tp in tps}
        asked = await self._consumer.offsets_for_times(dict.fromkeys(tps, max(0, time_ms)))
        return {tp: int(ends[tp]) if asked.get(tp) is None else int(asked[tp].offset) for tp in tps}

    async def _by_reading(self, tps: list[TopicPartition], bounds: Bounds) -> dict[TopicPartition, Range]:
        """The same from a broker that knows no times: the embedded one. All is read to find out, up to what is there now.

        Of a topic that readings come to all the time, there is no moment at which nothing comes.
        """
        begins: dict[TopicPartition, int] = {} if bounds.from_ms is not None else dict.fromkeys(tps, 0)
        stops: dict[TopicPartition, int] = {}
        ends = dict.fromkeys(tps, 0)
        self._consumer.assign(tps)
        await self._consumer.seek_to_beginning(*tps)
        there = await self._consumer.end_offsets(tps)
        quiet_since_s = time.monotonic()
        while time.monotonic() - quiet_since_s < _QUIET_S and not _has_all(ends, there):
            for tp, records in (await self._fetch()).items():
                quiet_since_s = time.monotonic()
                ends[tp] = records[-1].offset + 1
                for known, bound_ms in ((begins, bounds.from_ms), (stops, bounds.to_ms)):
                    if bound_ms is not None and tp not in known:
                        since = next((record.offset for record in records if record.timestamp >= bound_ms), None)
                        if since is not None:
                            known[tp] = since
        return {tp: Range(begins.get(tp, ends[tp]), stops.get(tp, ends[tp])) for tp in tps}

    async def read(self, ranges: Ranges) -> AsyncGenerator[Run, None]:
        """The records of ``ranges``, each partition's in order, in runs of at most :data:`streams.runs.run.MAX_RUN`.

        Returns once all are read. Each record has ``offset``, ``timestamp`` (ms), ``key`` and ``value``.
        """
        left = {tp: one for tp, one in ranges.items() if len(one)}
        if not left:
            return
        self._consumer.assign(list(left))
        for tp, one in left.items():
            self._consumer.seek(tp, one.first_offset)
        while left:
            for tp, records in (await self._fetch()).items():
                if tp not in left:
                    continue
                end = left[tp].end_offset
                if records[-1].offset >= end:
                    records = [record for record in records if record.offset < end]
                for at in range(0, len(records), MAX_RUN):
                    yield Run(tp, records[at : at + MAX_RUN])
            for tp in list(left):
                if await self._consumer.position(tp) >= left[tp].end_offset:
                    del left[tp]
                    self._consumer.pause(tp)

    async def peek(self, ranges: Ranges) -> dict[TopicPartition, Run]:
        """The first records of each of ``ranges``, as many as one fetch brings; of those without any nothing."""
        found: dict[TopicPartition, Run] = {}
        async with aclosing(self.read(ranges)) as runs:
            async for run in runs:
                found.setdefault(run.tp, run)
                if len(found) == len(ranges):
                    break
        return found

    async def _fetch(self) -> dict[TopicPartition, list[Any]]:
        fetched = await self._consumer.getmany(timeout_ms=_FETCH_MS)
        await asyncio.sleep(0)  # a fetch that is here already does not let others have their turn
        found = {tp: all_records(batches) for tp, batches in fetched.items()}
        return {tp: records for tp, records in found.items() if records}


def _has_all(ends: Mapping[Any, int], there: Mapping[Any, int]) -> bool:
    """Whether all was read that was there, and there was something."""
    return any(there.values()) and all(ends[tp] >= end for tp, end in there.items())


def _narrowed(found: Range, first_offset: int, bounds: Bounds) -> Range:
    """``found`` within what is still there and within the offsets that were given.

    >>> _narrowed(Range(0, 90), 10, Bounds(to_offset=40)), _narrowed(Range(0, 90), 10, Bounds(from_offset=50))
    (Range(first_offset=10, end_offset=40), Range(first_offset=50, end_offset=90))
    """
    first = max(found.first_offset, first_offset, bounds.from_offset or 0)
    end = found.end_offset if bounds.to_offset is None else min(found.end_offset, bounds.to_offset)
    return Range(first, max(first, end))
