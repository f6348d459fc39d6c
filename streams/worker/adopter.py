"""Models on their way into force, while all other partitions go on being judged.

A model is in force from the moment at which its machine's state says so durably. From adopting it until then the readings of
its partition wait, a few milliseconds; models that come meanwhile are adopted together, so that partitions seldom wait.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import TopicPartition

from schemas.training import ModelUpdate
from streams.runs.app import RunApp
from streams.runs.committing import commit_offsets
from streams.runs.producing import Record
from streams.runs.run import Run
from streams.worker.adoption import adopt, announce, read_updates, say_in_force
from streams.worker.durable import Durable
from streams.worker.partition import Partition

#: Readings of a partition that wait before no further ones are taken, of any.
_MOST_ASIDE = 20_000
#: Models that are adopted at once. Reading one takes a quarter of a millisecond, and after each something else has its turn:
#: a label takes some twenty turns to be sent, and would wait for what is done in each of them.
_ADOPT_AT_ONCE = 32
#: Where so many came in a row, further ones are likely to be there already, and what is behind does not wait for its turn.
_MANY = 100
#: Models that wait before no further ones are fetched. They wait as they came: as objects each would take 30 kB and leave
#: holes behind, which of 5,000 was a quarter of the worker's memory.
_MOST_MODELS = 2_000


class Adopter:
    """Models that came and are not in force yet, and the runs of readings that wait for them; by partition."""

    def __init__(
        self,
        app: RunApp,
        durable: Durable,
        partition: Callable[[int], Partition],
        judge: Callable[[Sequence[Run]], None],
        flows: Callable[[int], bool],
        interval_s: float,
        tell: Callable[..., None],
    ) -> None:
        """While readings of a partition flow, a few models of it are adopted at most every ``interval_s``."""
        self._app, self._durable, self._partition, self._judge, self._tell = app, durable, partition, judge, tell
        self._flows, self._interval_s = flows, interval_s
        self._models: dict[TopicPartition, dict[bytes, list[Any]]] = {}  # records by key, the newest last
        self._read_to: dict[TopicPartition, int] = {}  # next offset of the models topic, once those are in force
        self._next_s: dict[TopicPartition, float] = {}
        self._in_a_row: Counter[TopicPartition] = Counter()
        self._work = asyncio.Event()
        self._aside: dict[int, list[Run]] = {}
        self._resumed = asyncio.Condition()
        self.changing = asyncio.Lock()  # held while models of a partition change
        self.adopted: Counter[str] = Counter()  # models put in force so far, by rung
        self.models_read: dict[TopicPartition, int] = {}  # next offset of the models topic: all before are in force

    async def take_in(self, run: Run, is_ours: Callable[[Run], bool]) -> None:
        """Take a run of the models topic in; the last model of each key counts."""
        if is_ours(run):
            waiting = self._models.setdefault(run.tp, {})
            for record in run.records:
                waiting.setdefault(record.key, []).append(record)
            self._read_to[run.tp] = run.last_offset + 1
            self._work.set()

    def is_early(self, tp: TopicPartition) -> bool:
        """Whether models of a partition came into force so lately that further ones need not be fetched yet.

        Of a flood each would come by itself and cut a fetch of readings short, which costs as much as fifty readings.
        """
        return asyncio.get_running_loop().time() < self._next_s.get(tp, 0.0)

    @property
    def is_full(self) -> bool:
        """Whether so many models wait that no more should be fetched."""
        return sum(map(len, self._models.values())) >= _MOST_MODELS

    def put_aside(self, run: Run) -> bool:
        """Keep a run of readings for later, if its partition waits for a model; whether it does."""
        waiting = self._aside.get(run.tp.partition)
        if waiting is None:
            return False
        waiting.append(run)
        return True

    async def room(self) -> None:
        """Wait while too many readings wait."""
        if self._has_room():
            return
        async with self._resumed:
            await self._resumed.wait_for(self._has_room)

    def _has_room(self) -> bool:
        return sum(len(run) for runs in self._aside.values() for run in runs) < _MOST_ASIDE

    def forget(self) -> None:
        """Forget all partitions: what came of their models and is not in force comes again to whoever owns them."""
        for known in (self._models, self._read_to, self._next_s, self._in_a_row, self._aside, self.models_read):
            known.clear()

    async def adopt_models(self) -> None:
        """Put in force what comes, for ever; of the partition first whose turn it is first."""
        loop = asyncio.get_running_loop()
        while True:
            if not self._models:
                self._work.clear()
                await self._work.wait()
                continue
            tp = min(self._models, key=lambda tp: self._next_s.get(tp, 0.0))
            wait_s = self._next_s.get(tp, 0.0) - loop.time()
            if wait_s > 0.0:
                await asyncio.sleep(wait_s)
                continue
            async with self.changing:
                if tp in self._models:  # or it was given up meanwhile
                    await self._adopt_some(tp)

    async def _adopt_some(self, tp: TopicPartition) -> None:
        waiting, read_to = self._models.pop(tp), self._read_to[tp]
        begun_s = asyncio.get_running_loop().time()
        some = [waiting.pop(key) for key in list(waiting)[:_ADOPT_AT_ONCE]]
        self._in_a_row[tp] += len(some)
        await self._adopt(tp.partition, await self._read(some))
        if waiting:  # they go on at once, with what came meanwhile
            for key, newer in self._models.get(tp, {}).items():
                waiting.setdefault(key, []).extend(newer)
            self._models[tp] = waiting
            return
        if self._in_a_row.pop(tp) < _MANY and self._flows(tp.partition):
            self._next_s[tp] = begun_s + self._interval_s
        await commit_offsets(self._app, {tp: read_to})
        self.models_read[tp] = read_to

    async def _read(self, of_keys: Sequence[Sequence[Any]]) -> list[ModelUpdate]:
        """The newest model of each key; whoever judges need not wait for all of them."""
        updates: list[ModelUpdate] = []
        for records in of_keys:
            updates += read_updates(records, self._tell)
            await asyncio.sleep(0)
        return updates

    async def _adopt(self, number: int, updates: Sequence[ModelUpdate]) -> None:
        partition = self._partition(number)
        fitting = await self._announce(number, partition, updates)
        if not fitting:
            return
        if any(update.rung == "fleet" for update in fitting):
            # A machine of which no state is durable would begin with this model when it is read back.
            self._aside[number] = []
            await self._durable.drain()

        def adopted() -> list[Record]:
            self._aside.setdefault(number, [])
            return adopt(partition, fitting)

        await self._durable.write(number, adopted)
        since_offset = partition.next_offset
        waited = self._aside.pop(number)
        self._judge(waited)
        self.adopted.update(update.rung for update in fitting)
        say_in_force(fitting, since_offset)
        async with self._resumed:
            self._resumed.notify_all()

    async def _announce(self, number: int, partition: Partition, updates: Sequence[ModelUpdate]) -> list[ModelUpdate]:
        """Write the models themselves; the readings need not wait for that."""
        fitting: list[ModelUpdate] = []
        records: list[Record] = []
        for update in updates:
            some, theirs = announce(partition, [update], self._tell)
            fitting += some
            records += theirs
            await asyncio.sleep(0)
        if records:
            await self._durable.write(number, lambda: records)
        return fitting
