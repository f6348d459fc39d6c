"""Faust's Kafka transport, changed in the nine places that delivering runs needs.

1. ``_drain_messages`` hands over one message for each topic of a fetch, its value being a :class:`Run` of each partition.
2. Partitions are resumed only together with the flow. Stock recovery resumes them, then clears the agents' queues: what
   arrived in between would be gone.
3. Before partitions are given up, the application may finish and commit what it has begun (``on_revoke``).
4. A changelog run is applied to its table's store at once; Recovery is shown only the last offset.
5. The broker keeps a fetch that finds nothing for a tenth of a second. Partitions that are resumed meanwhile wait until it
   answers, which Faust lets take a second and a half: at a start, after a rebalance, whenever one caught up.
6. Changelogs, and what the application names, are fetched in batches (:mod:`streams.runs.batches`): nobody needs an object
   of each of their records.
7. Before anything is read of partitions that were given, the application may take them over (``on_assign``).
8. A broker that is gone is waited for (:mod:`streams.runs.broker_gone`).
9. What is sent is written in one go (:mod:`streams.runs.joining`).

These are inner names of Faust. ``pyproject.toml`` pins the version and ``tests/streams/test_runs_transport.py`` holds each
of them, so that an upgrade fails in a test and not at night.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.log import get_logger
from streams.runs.batches import Fetched, all_records
from streams.runs.broker_gone import ask_with_pauses, let_batches_wait
from streams.runs.joining import write_in_one_go
from streams.runs.run import MAX_RUN, Run

log = get_logger(__name__)

#: How long one fetch waits for records. Partitions that are resumed meanwhile wait as long.
_FETCH_WAIT_S = 0.25
#: How long to wait before looking again while no partition may be fetched (recovery, rebalance).
_IDLE_WAIT_S = 0.02
#: Readings that come one by one are gathered for so long: a fetch of one costs nearly as much as one of fifty.
_GATHER_S = 0.002
_SMALL_FETCH = 500
#: Records of a run at the beginning of a partition. Each may need its machine's state read back: of 100 that takes 80 ms.
_FIRST_RUNS = 100
#: How long the broker keeps a fetch that finds nothing.
_BROKER_WAIT_MS = 100

#: Told of the partitions that are taken or given.
RebalanceHook = Callable[[set[TP]], Awaitable[None]]
#: Of the partitions that could be fetched, those that shall wait.
HoldBack = Callable[[set[TP]], Awaitable[set[TP]]]


class _ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """aiokafka's consumer in a thread of its own, with a shorter wait at the broker."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _BROKER_WAIT_MS
        return consumer

    async def on_start(self) -> None:
        """Start, and take records as they lie in a fetch where that is wanted."""
        await super().on_start()
        ask_with_pauses(self._consumer)
        self._consumer._fetcher._records = Fetched(self.consumer.comes_plainly, self.consumer.may_lie)


class RunConsumer(driver.Consumer):  # type: ignore[misc]
    """Delivers one event for each topic of a fetch."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._held: set[TP] = set()
        self._behind = False  # records were fetched and not delivered, so positions have moved past them
        self._begun: set[TP] = set()  # partitions of which a fetch was delivered since they are ours
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Ask for topics, and so to be let into the group."""
        log.info("joining the group", action="joining")
        await super().subscribe(topics)

    def partitions_read(self) -> dict[str, int]:
        """By topic that is read here: how many partitions it has, by what the broker said last."""
        consumer = self._thread._consumer
        if consumer is None:  # not started yet
            return {}
        topics = {tp.topic for tp in consumer.assignment()}
        return {topic: len(consumer._client.cluster.partitions_for_topic(topic) or ()) for topic in topics}

    def hears_from_broker(self) -> bool:
        """Whether the broker that leads our group answers, as far as is known: heartbeats go to it."""
        consumer = self._thread._consumer
        coordinator = None if consumer is None else consumer._coordinator
        return coordinator is not None and coordinator.coordinator_id is not None

    async def ends(self, tps: Iterable[TP]) -> Mapping[TP, int]:
        """By partition the offset behind its newest record. Asked beside Faust's queue of calls, in which fetches wait."""
        thread = self._thread
        asked = asyncio.run_coroutine_threadsafe(thread._consumer.end_offsets(list(tps)), thread.thread_loop)
        return {TP(*tp): int(end) for tp, end in (await asyncio.wrap_future(asked)).items()}

    def comes_plainly(self, tp: TP) -> bool:
        """Whether a partition's records come as they lie in a fetch, a batch at a time."""
        return tp.topic in self.app.plainly or self._is_changelog_tp(tp)

    def may_lie(self, tp: TP) -> bool:
        """Whether what was fetched of a partition may lie for a while."""
        return tp.topic in self.app.unhurried

    def go_back(self) -> None:
        """Fetch again what is not committed: something of it was fetched and not taken."""
        self._behind = True

    # -- delivery

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await self._deliver_next_fetch()
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise

    async def _deliver_next_fetch(self) -> None:
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
            return
        if self._behind:
            self._behind = False
            await self.perform_seek()
        active = set(self._get_active_partitions())
        active -= await self.app.hold_back(active)
        if not active:
            await asyncio.sleep(_IDLE_WAIT_S)
            return
        generation = self.app.consumer_generation_id
        come = await self._getmany(active_partitions=active, timeout=_FETCH_WAIT_S) or {}
        fetched = {tp: all_records(some) if self.comes_plainly(tp) else some for tp, some in come.items()}
        together: dict[str | TP, list[Run]] = {}
        for tp, records in fetched.items():
            runs = [Run(TopicPartition(*tp), some, generation) for some in self._runs_of(tp, records)]
            if runs:
                together.setdefault(tp if self._is_changelog_tp(tp) else tp.topic, []).extend(runs)
        for runs in together.values():
            if not self.flow_active or generation != self.app.consumer_generation_id:
                # A rebalance came between. Go back to what is committed as soon as records flow again: a fetch may outlast
                # the whole of a rebalance, and then nobody else goes back behind it. Records delivered a second time do no
                # harm, they are known by their offsets.
                self._behind = True
                return
            await self._deliver(runs)
        if fetched and sum(map(len, fetched.values())) < _SMALL_FETCH:
            await asyncio.sleep(_GATHER_S)

    def _runs_of(self, tp: TP, records: list[Any]) -> list[list[Any]]:
        """What was fetched of a partition as runs: as few as may be, or small ones at the beginning where the application
        asked for it. A changelog's is one."""
        if not records:
            return []
        if self._is_changelog_tp(tp):
            return [records]
        size = MAX_RUN
        if tp.topic in self.app.begin_gently and tp not in self._begun:
            self._begun.add(tp)
            size = _FIRST_RUNS
        return [records[at : at + size] for at in range(0, len(records), size)]

    async def _deliver(self, runs: list[Run]) -> None:
        """One event: the runs of a topic, or those of a changelog's partition."""
        tp, last = TP(*runs[-1].tp), runs[-1].records[-1]
        value: Any = runs
        if self._is_changelog_tp(tp):
            for run in runs:
                self.app.tables.recovery.tp_to_table[tp].data.apply_run(tp, run.records)
            value = b""
        message = ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            None,
            b"",
            value,
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )
        # A full queue must not keep a rebalance waiting; what is not taken then is fetched again after it.
        await self.wait_first(self.callback(message), self.suspend_flow.wait())

    # -- rebalance

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Resume changelogs at once, everything else together with the flow."""
        wanted = set(tps)
        held = {tp for tp in wanted if not self._is_changelog_tp(tp)}
        self._held |= held
        super().resume_partitions(wanted - held)

    def resume_flow(self) -> None:
        """Let records flow again, those of held partitions too."""
        held, self._held = self._held, set()
        super().resume_partitions(held & set(self.assignment()))
        super().resume_flow()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Give the application the chance to finish and commit before the partitions are forgotten."""
        self.stop_flow()
        self._held.clear()
        self._begun.clear()
        for hook in self.app.revoke_hooks:
            await hook(revoked)
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let the application take the partitions over before their state is looked at."""
        try:
            for hook in self.app.assign_hooks:
                await hook(assigned)
        except Exception as error:
            await self.app.crash(error)  # aiokafka would log it and go on
            raise
        await super().on_partitions_assigned(assigned, generation_id)

    # -- topics are declared in schemas/topics.py and created by `wellsentry topics create`, never on the way

    async def create_topic(self, *args: Any, **kwargs: Any) -> None:
        """Create nothing."""


class RunProducer(driver.Producer):  # type: ignore[misc]
    """Keeps each partition's order and sends nothing twice: idempotent, acknowledged by all replicas.

    A broker that knows no producer ids (the embedded one) is sent to without; its order is kept all the same, as one batch
    of a partition is under way at a time.
    """

    _idempotent = True

    @property
    def knows_producer_ids(self) -> bool:
        """Whether the broker does."""
        return self._idempotent

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": self._idempotent}

    async def on_start(self) -> None:
        """Start, a second time without producer ids where the broker has none."""
        try:
            await super().on_start()
        except KafkaConnectionError:
            raise
        except KafkaError:
            self._idempotent = False
            if self._producer is not None:
                await self._producer.stop()
            await super().on_start()
        let_batches_wait(self._producer)
        write_in_one_go(self._producer)

    async def create_topic(self, *args: Any, **kwargs: Any) -> None:
        """Create nothing."""


class RunTransport(driver.Transport):  # type: ignore[misc]
    """Faust's Kafka transport with the two above."""

    Consumer = RunConsumer
    Producer = RunProducer
