"""Making what was judged durable, in the one order that loses nothing: labels, then changelog, then offset.

A crash between two of them repeats labels to the letter: each machine's state names the last reading that is part of it.
Labels are sent as soon as the ones before are durable; state is written at most every ``changelog_interval_s``, since only
the last state of a machine counts, and offsets follow it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from schemas.topics import Topics
from streams.runs.app import MAX_RUN, RunApp
from streams.runs.committing import commit_offsets
from streams.runs.producing import Record, send_run
from streams.worker.partition import Output, Partition
from streams.worker.store import StateStore
from streams.worker.turns import MOST_AHEAD, furthest_ahead

#: Labels that may wait to be sent before no further run is judged.
_MOST_WAITING = 20_000


#: Partition, what came out of its runs, and the status of its machines.
Taken = tuple[int, Output, list[Record]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Changelog records that stand for everything up to an offset, for each partition."""

    judged: int  # how many runs it covers
    records: Mapping[int, list[Record]]
    next_offsets: Mapping[int, int]


class Durable:
    """Two steps behind the engine: one sends labels, one writes changelog and offsets."""

    def __init__(
        self,
        app: RunApp,
        topics: Topics,
        store: StateStore,
        clock: Callable[[], float],
        changelog_interval_s: float,
        status_interval_s: float,
    ) -> None:
        self._app, self._topics, self._store, self._clock = app, topics, store, clock
        self._changelog_interval_s, self._status_interval_s = changelog_interval_s, status_interval_s
        self.partitions: dict[int, Partition] = {}
        self._committed: dict[int, int] = {}  # by partition: up to which reading
        self._work = asyncio.Event()
        self._snapshots: asyncio.Queue[Snapshot] = asyncio.Queue(1)
        self._judged = 0  # runs judged, in snapshots, durable: the three never fall and never overtake each other
        self._snapped = 0
        self._durable = 0
        self._progress = asyncio.Condition()
        self._flush = False
        self._next_snapshot_s = 0.0
        self._following: asyncio.Future[None]  # what follows the labels sent so far
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0  # when it goes off
        self._next_status_s: dict[int, float] = {}  # of each partition, so that not all are sent at once

    def judged(self, partition: int, first_offset: int) -> None:
        """Tell that a run of a partition, from ``first_offset`` on, was judged and waits to be written."""
        self._committed.setdefault(partition, first_offset)
        self._judged += 1
        self._work.set()

    async def room(self) -> None:
        """Wait while more is judged than can be written: a slow broker slows the reading, memory stays bounded."""
        if self._has_room():
            return
        async with self._progress:
            await self._progress.wait_for(self._has_room)

    def _has_room(self) -> bool:
        waiting = sum(partition.output.waiting for partition in self.partitions.values())
        judged_to = {number: partition.next_offset for number, partition in self.partitions.items()}
        return waiting < _MOST_WAITING and furthest_ahead(judged_to, self._committed) < MOST_AHEAD - MAX_RUN

    def forget(self) -> None:
        """Forget all partitions, once they are drained."""
        self.partitions.clear()
        self._committed.clear()

    async def drain(self) -> None:
        """Return when everything judged so far is durable and committed."""
        target = self._judged
        self._flush = True
        self._work.set()
        async with self._progress:
            await self._progress.wait_for(lambda: self._durable >= target)

    # -- first step: labels

    async def send_labels(self) -> None:
        """Send what comes out, for ever; hand a snapshot on when it is time for one."""
        self._following = asyncio.ensure_future(_nothing())
        while True:
            await self._work.wait()
            self._work.clear()
            now = self._clock()
            flush, self._flush = self._flush, False
            snapshot = None
            if self._snapped < self._judged:
                if flush or now >= self._next_snapshot_s:
                    self._next_snapshot_s = now + self._changelog_interval_s
                    snapshot = self._take_snapshot()
                else:
                    self._look_again_at(self._next_snapshot_s)
            with_status = self._due_status(now, flush=flush)
            # Nothing may be judged between taking the snapshot and taking the output: no await until both are taken.
            taken = [
                (number, partition.take_output(), partition.take_status() if number in with_status else [])
                for number, partition in self.partitions.items()
            ]
            async with self._progress:
                self._progress.notify_all()
            # Labels first: of what has no label yet nobody must know, it may be judged again by another model.
            await asyncio.gather(*(self._send_labels(number, output) for number, output, _ in taken))
            self._following = asyncio.ensure_future(self._follow(self._following, taken))
            if snapshot is not None:
                await self._following
                await self._snapshots.put(snapshot)

    def _due_status(self, now: float, *, flush: bool) -> set[int]:
        """The partitions whose machines' status is to be sent now. One at a time: all at once would hold labels up."""
        waiting = {
            number: self._next_status_s.get(number, 0.0)
            for number, partition in self.partitions.items()
            if partition.has_status
        }
        if not waiting:
            return set()
        first = min(waiting, key=waiting.__getitem__)
        due = set(waiting) if flush else {first} if waiting[first] <= now else set()
        for number in due:
            self._next_status_s[number] = now + self._status_interval_s
        if later := [max(at, now) for number, at in waiting.items() if number not in due]:
            self._look_again_at(min(later))
        return due

    def _look_again_at(self, moment_s: float) -> None:
        """Have something to do at ``moment_s`` (by the clock), or sooner."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._clock() < self._timer_s <= moment_s:
                return
            self._timer.cancel()
        self._timer_s = moment_s
        self._timer = loop.call_later(max(0.0, moment_s - self._clock()), self._work.set)

    def _take_snapshot(self) -> Snapshot:
        self._snapped = self._judged
        return Snapshot(
            self._snapped,
            {number: partition.take_records() for number, partition in self.partitions.items()},
            {number: partition.next_offset for number, partition in self.partitions.items()},
        )

    async def _send_labels(self, partition: int, output: Output) -> None:
        if output.labels:
            await send_run(self._app, self._topics.labels.name, partition, output.labels)

    async def _follow(self, before: "asyncio.Future[None]", taken: list[Taken]) -> None:
        """Send what follows labels that are durable, behind what followed those before. The next labels need not wait."""
        await before
        topics = self._topics
        await asyncio.gather(
            *(
                send_run(self._app, topic.name, number, records)
                for number, output, status in taken
                for topic, records in (
                    (topics.incidents, output.incidents),
                    (topics.rejected, output.rejected),
                    (topics.training, output.training),
                    (topics.status, status),
                )
                if records
            )
        )

    # -- second step: changelog, then offsets

    async def write_changelog(self) -> None:
        """Write snapshots, for ever."""
        while True:
            snapshot = await self._snapshots.get()
            await self.write(snapshot.records)
            await self._commit(snapshot.next_offsets)
            async with self._progress:
                self._durable = snapshot.judged
                self._progress.notify_all()

    async def write(self, records: Mapping[int, Iterable[Record]]) -> None:
        """Append records to the changelog and return when they are durable."""
        await asyncio.gather(*(self._append(number, list(some)) for number, some in records.items()))

    async def _append(self, partition: int, records: list[Record]) -> None:
        name = self._topics.changelog.name
        offset = await send_run(self._app, name, partition, records)
        if offset is not None:
            self._store.written(TopicPartition(name, partition), offset)

    async def _commit(self, next_offsets: Mapping[int, int]) -> None:
        name = self._topics.readings.name
        offsets = {number: offset for number, offset in next_offsets.items() if offset}
        await commit_offsets(self._app, {TopicPartition(name, number): offset for number, offset in offsets.items()})
        self._committed.update(offsets)


async def _nothing() -> None:
    """What follows no labels."""
