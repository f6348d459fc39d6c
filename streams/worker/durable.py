"""Making what was judged durable, in the one order that loses nothing: labels, then changelog, then offset.

A crash between two of them repeats labels to the letter: each machine's state names the last reading that is part of it.
Labels are sent as soon as the ones before are durable. A machine's state is written ``changelog_interval_s`` after its first
reading that is not in it, machine by machine and a few at a time, since only the last state counts and all at once would
hold labels up. Offsets follow: up to the oldest reading that is not yet in the state of its machine.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from schemas.topics import Topics
from streams.runs.app import RunApp
from streams.runs.producing import Record, send_run
from streams.runs.run import MAX_RUN
from streams.worker.changelog import Change, Changelog
from streams.worker.following import Following, Taken
from streams.worker.judge import Judge
from streams.worker.latency import Latency
from streams.worker.partition import Output, Partition
from streams.worker.store import StateStore
from streams.worker.turns import MOST_AHEAD, furthest_ahead
from streams.worker.waiting import Slots, Waiting

#: Labels that may wait to be sent before no further run is judged.
_MOST_WAITING = 40_000
#: Machines whose state or status is taken with one sending of labels; of very many that wait, this part.
_MACHINES = 64
_SHARE = 8
#: So long they may wait beyond their time, for more to be taken together.
_SLACK_S = 0.1


class _Order(NamedTuple):
    """Records that are made at the moment at which state is taken."""

    partition: int
    make: Callable[[], list[Record]]
    durable: "asyncio.Future[None]"


class Durable:
    """What was judged, on its way to the broker."""

    def __init__(
        self,
        app: RunApp,
        topics: Topics,
        store: StateStore,
        judge: Judge,
        clock: Callable[[], float],
        changelog_interval_s: float,
        status_interval_s: float,
    ) -> None:
        self._app, self._topics, self._judge, self._clock = app, topics, judge, clock
        self._changelog_interval_s, self._status_interval_s = changelog_interval_s, status_interval_s
        self.changelog = Changelog(app, topics, store, self._written)
        self.partitions: dict[int, Partition] = {}
        self._state: dict[int, Waiting] = {}  # by partition: machines whose state is to be written
        self._status: dict[int, Waiting] = {}  # and those whose status is to be sent
        self._committed: dict[int, int] = {}  # by partition: up to which reading
        self._orders: list[_Order] = []
        self._drains: list[asyncio.Future[None]] = []
        self._outs: list[asyncio.Future[None]] = []  # told when the labels judged before are durable
        self._work = asyncio.Event()
        self._progress = asyncio.Condition()
        self._next_commit_s = 0.0
        self.following = Following(partial(send_run, app), topics)
        self._timer: asyncio.TimerHandle | None = None
        self.latency = Latency(time.time)
        self.waits, self.waited_s = 0, 0.0  # how often judging waited for the broker, and for how long in all

    def judged(self, partition: int, slots: Slots, first_offset: int) -> None:
        """Tell that a run of a partition, from ``first_offset`` on, was judged and has changed the state of ``slots``."""
        now = self._clock()
        self._committed.setdefault(partition, first_offset)
        for waiting in (self._state, self._status):
            waiting.setdefault(partition, Waiting()).add(slots, first_offset, now)
        self._work.set()

    async def room(self) -> None:
        """Wait while more is judged than can be written: a slow broker slows the reading, memory stays bounded."""
        if self._has_room():
            return
        began_s = self._clock()
        async with self._progress:
            await self._progress.wait_for(self._has_room)
        self.waits, self.waited_s = self.waits + 1, self.waited_s + self._clock() - began_s

    def _has_room(self) -> bool:
        waiting = sum(partition.output.waiting for partition in self.partitions.values())
        judged_to = {number: partition.position for number, partition in self.partitions.items()}
        return waiting < _MOST_WAITING and furthest_ahead(judged_to, self._committed) < MOST_AHEAD - MAX_RUN

    def forget(self) -> None:
        """Forget all partitions, once they are drained."""
        for known in (self.partitions, self._state, self._status, self._committed):
            known.clear()

    async def drain(self) -> None:
        """Return when everything judged so far is durable and committed."""
        if not self.partitions:
            return  # nothing was judged; who sends may not run yet
        drained = asyncio.get_running_loop().create_future()
        self._drains.append(drained)
        self._work.set()
        await drained

    async def labels_out(self) -> None:
        """Return when the labels of everything judged so far are durable."""
        out = asyncio.get_running_loop().create_future()
        self._outs.append(out)
        self._work.set()
        await out

    async def write(self, partition: int, make: Callable[[], list[Record]]) -> None:
        """Call ``make`` and return when the records it gives are in the changelog.

        They are written behind the labels of everything judged before ``make`` is called, and in order with all other state.
        """
        order = _Order(partition, make, asyncio.get_running_loop().create_future())
        self._orders.append(order)
        self._work.set()
        await order.durable

    # -- first step: labels; and what is to be written behind them

    async def send_labels(self) -> None:
        """Send what comes out, for ever."""
        while True:
            await self._work.wait()
            self._work.clear()
            # Nothing may be judged between taking labels and taking state: no await until both are taken.
            outs, self._outs = self._outs, []
            taken, change = self._take(self._clock())
            async with self._progress:
                self._progress.notify_all()
            # Labels first: of what has no label yet nobody must know, it may be judged again by another model.
            await asyncio.gather(*(self._send_labels(number, output) for number, output, _ in taken))
            for out in outs:
                if not out.done():  # who waited may have been told to end
                    out.set_result(None)
            followed = self.following.put(taken)
            if change is not None:
                self.changelog.put(change(followed))
            await self.following.room()
            self._look_again_in(self._next_s() - self._clock())

    def _take(self, now: float) -> tuple[list[Taken], "Callable[[asyncio.Future[None]], Change] | None"]:
        """What goes out now, and what is to be written behind it."""
        orders, self._orders = self._orders, []
        drains, self._drains = self._drains, []
        outputs = {number: partition.take_output() for number, partition in self.partitions.items()}
        status = self._take_status(now, all_of_them=bool(drains))
        records = self._take_state(now, all_of_them=bool(drains))
        for order in orders:
            records.setdefault(order.partition, []).extend(order.make())
        next_offsets = self._may_be_committed(now, at_once=bool(drains))
        taken = [(number, output, status.get(number, [])) for number, output in outputs.items()]
        if not (records or next_offsets or orders or drains):
            return taken, None
        return taken, lambda after: Change(after, records, next_offsets, [order.durable for order in orders], drains)

    def _take_state(self, now: float, *, all_of_them: bool) -> dict[int, list[Record]]:
        if all_of_them:
            slots = self._all(self._state)
        elif self.changelog.is_behind:
            slots = {}
        else:
            slots = self._longest(self._state, now - self._changelog_interval_s)
        return {number: self.partitions[number].records_of(some) for number, some in slots.items()}

    def _take_status(self, now: float, *, all_of_them: bool) -> dict[int, list[Record]]:
        slots = self._all(self._status) if all_of_them else self._longest(self._status, now - self._status_interval_s)
        return {number: self._judge.take_status(some) for number, some in slots.items()}

    @staticmethod
    def _longest(waiting: Mapping[int, Waiting], until_s: float) -> dict[int, Slots]:
        """Some of the machines that have waited since ``until_s``, of the partition where they have waited longest."""
        number = min((n for n, one in waiting.items() if len(one)), key=lambda n: waiting[n].since_s, default=None)
        if number is None or waiting[number].since_s > until_s - _SLACK_S:
            return {}
        return {number: waiting[number].take(max(_MACHINES, len(waiting[number]) // _SHARE), until_s)}

    @staticmethod
    def _all(waiting: Mapping[int, Waiting]) -> dict[int, Slots]:
        return {number: one.take(len(one), float("inf")) for number, one in waiting.items() if len(one)}

    def _may_be_committed(self, now: float, *, at_once: bool) -> dict[int, int]:
        """Next offset to read of each partition, once what is taken of it is durable; empty while it is not time for it."""
        if not at_once and now < self._next_commit_s:
            return {}
        self._next_commit_s = now + self._changelog_interval_s
        offsets = {}
        for number, partition in self.partitions.items():
            waiting = self._state.get(number)
            oldest = waiting.first_offset if waiting is not None else None
            offset = partition.position if oldest is None else oldest
            if offset > self._committed.get(number, 0):
                offsets[number] = offset
        return offsets

    def _next_s(self) -> float:
        """When there will be something to do, if nothing comes meanwhile."""
        moments = [one.since_s + self._status_interval_s + _SLACK_S for one in self._status.values() if len(one)]
        if not self.changelog.is_behind:
            moments += [one.since_s + self._changelog_interval_s + _SLACK_S for one in self._state.values() if len(one)]
        if any(one.position > self._committed.get(number, 0) for number, one in self.partitions.items()):
            moments.append(self._next_commit_s)
        return min(moments, default=float("inf"))

    def _look_again_in(self, wait_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if wait_s <= 0.0:
            self._work.set()
        elif wait_s < float("inf"):
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._work.set)

    def _written(self, committed: Mapping[int, int]) -> None:
        self._committed.update({number: offset for number, offset in committed.items() if number in self.partitions})
        self._work.set()

    async def _send_labels(self, partition: int, output: Output) -> None:
        if output.labels:
            await send_run(self._app, self._topics.labels.name, partition, output.labels)
            self.latency.durable(output.came_ms)
