"""What people say of the machines of our partitions, and the refits that follow from it.

No label depends on it, training requests do. So whoever starts reads all of it first, beside the state, and the first reading
waits for that (:meth:`Listening.is_heard`). From then on it comes as readings do, from where it is committed; each machine of
which something new was said is asked a model for, and once these requests are durable it is committed that it was heard.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from models.engine.machines import Machine
from models.heard import Heard
from schemas.errors import BrokerError
from schemas.feedback import Feedback
from streams.feedback.reading import read_feedback
from streams.log import get_logger
from streams.reading_ranges import RangeReader
from streams.runs.app import RunApp
from streams.runs.committing import commit_offsets
from streams.runs.run import Run
from streams.settings import Settings
from streams.worker.durable import Durable
from streams.worker.judge import Judge
from streams.worker.partition import Partition

log = get_logger(__name__)

#: Requests that are made before something else has its turn: each takes some milliseconds and 20 kB.
_ASK_AT_ONCE: Final = 8
_TRY_AGAIN_S: Final = 1.0

#: Client, machine, stack.
_Whose = tuple[str, str, str]


class Listening:
    """Feedback of the partitions that are ours."""

    def __init__(self, app: RunApp, settings: Settings, tell: Callable[..., None]) -> None:
        self._app, self._settings, self._tell = app, settings, tell
        self._topic = settings.topics.feedback.name
        self._ours: set[int] = set()  # partitions whose feedback is to be read from its start
        self._given = 0  # how often partitions were given to us: what was begun before is of no use
        self._heard: dict[int, Heard] = {}  # by partition: of those that were read to their end
        self._due: dict[TopicPartition, dict[_Whose, int]] = {}  # whom to ask for, and the newest offset that says so
        self._read_to: dict[TopicPartition, int] = {}  # next offset, once these are asked for
        self._start, self._work = asyncio.Event(), asyncio.Event()

    def said(self, machine: Machine, stack: str) -> Sequence[Feedback]:
        """What stands of what was said of a machine and stack, in order."""
        heard = self._heard.get(machine.partition)
        return () if heard is None else heard.standing(machine.client_id, machine.machine_id, stack)

    def is_heard(self, partition: int) -> bool:
        """Whether all was read that was said of a partition before it became ours."""
        return partition in self._heard

    # -- from the start

    async def begin(self, assigned: set[TopicPartition]) -> None:
        """Have the feedback of what was assigned read, beside whatever else there is to do."""
        self._given += 1
        self._ours = {tp.partition for tp in assigned if tp.topic == self._topic}
        self._start.set()

    def forget(self) -> None:
        """Forget all partitions: whoever has them next reads what was said from its start."""
        self._given += 1
        for known in (self._ours, self._heard, self._due, self._read_to):
            known.clear()

    async def listen(self) -> None:
        """Read what was said of the partitions that we are given, for ever."""
        while True:
            await self._start.wait()
            self._start.clear()
            given, wanted = self._given, self._ours - self._heard.keys()
            if not wanted:
                continue
            try:
                heard = await self._read_all(wanted)
            except (BrokerError, KafkaError, OSError) as error:
                self._tell("feedback cannot be read, trying again", action="feedback_waits", detail=str(error)[:300])
                await asyncio.sleep(_TRY_AGAIN_S)
                self._start.set()
                continue
            if given == self._given:
                self._heard.update(heard)
                log.info(
                    "feedback is read", action="listened", partitions=len(heard), feedback=sum(map(len, heard.values()))
                )

    async def _read_all(self, numbers: set[int]) -> dict[int, Heard]:
        heard = {number: Heard(self._tell_forgotten) for number in numbers}
        async with RangeReader(self._settings.broker) as reader:
            async for run in reader.read(await reader.all_there_is(self._topic, numbers)):
                for _, said in self._read(run):
                    heard[run.tp.partition].take(said)
        return heard

    def _read(self, run: Run) -> list[tuple[int, Feedback]]:
        return read_feedback(run.tp, run.records, self._app.partitions, self._tell)

    def _tell_forgotten(self, said: Feedback) -> None:
        self._tell(
            "more feedback than is kept, the oldest counts no more for training",
            action="feedback_forgotten",
            client_id=said.client_id,
            machine_id=said.machine_id,
            feedback_id=said.feedback_id,
        )

    # -- from then on

    def take_in(self, run: Run) -> None:
        """Take a run of the feedback topic in."""
        heard = self._heard[run.tp.partition]
        due = self._due.setdefault(run.tp, {})
        for offset, said in self._read(run):
            stack = heard.take(said)
            if stack is not None:
                due[said.client_id, said.machine_id, stack] = offset
        self._read_to[run.tp] = run.last_offset + 1
        self._work.set()

    async def ask_for_refits(
        self,
        judge: Judge,
        durable: Durable,
        partition: Callable[[int], Partition],
        changing: asyncio.Lock,
    ) -> None:
        """Ask for models of machines of which something was said, for ever. ``changing`` is held while models of a partition
        change, and while partitions are handed over: a request must not name a model that is not durably in force.
        """
        while True:
            await self._work.wait()
            self._work.clear()
            while self._due:
                async with changing:
                    tp = next(iter(self._due), None)
                    if tp is not None:  # or all was given up meanwhile
                        await self._ask_some(tp, judge, durable, partition(tp.partition))

    async def _ask_some(self, tp: TopicPartition, judge: Judge, durable: Durable, partition: Partition) -> None:
        due = self._due[tp]
        for whose in list(due)[:_ASK_AT_ONCE]:
            client, machine, stack = whose
            asked = judge.ask_for_refit(partition, *whose, due.pop(whose))
            log.info(
                "feedback heard",
                action="feedback_heard",
                client_id=client,
                machine_id=machine,
                stack=stack,
                refit_asked_for=asked,
            )
        await durable.write(tp.partition, list)  # returns once the requests are durable
        if not due:  # nor has anything come meanwhile
            del self._due[tp]
            await commit_offsets(self._app, {tp: self._read_to[tp]})
