"""The worker on one page, in the order in which the data flow.

readings ─▶ runs ─▶ decoded ─▶ judged by the engine ─▶ labels, incidents, status, rejected, training
                                                       then changelog, then offset
models ───▶ run ─▶ adopted, while its partition waits ─▶ changelog ─▶ in force for the readings that come next
feedback ─▶ heard, whole before the first reading ─▶ what training requests leave out, and a request at once
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any

from aiokafka import TopicPartition

from models.engine.labels import Stamp
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import Stack, choose_stacks
from streams.build_info import build_info
from streams.log import ThrottledWarnings, get_logger
from streams.runs.app import RunApp, new_app, runs_topic
from streams.runs.collecting import keep_what_is_there
from streams.runs.run import Run, each_run
from streams.settings import Settings, WorkerSettings
from streams.worker.adopter import Adopter
from streams.worker.durable import Durable
from streams.worker.judge import Counts, Judge, together
from streams.worker.latency import came_ms
from streams.worker.limits import Limits
from streams.worker.listening import Listening
from streams.worker.measures import WorkerMeasures
from streams.worker.owning import Owning
from streams.worker.partition import Partition
from streams.worker.silence import Silence
from streams.worker.store import StateStore
from streams.worker.turns import Start, may_flow, start_of

log = get_logger(__name__)

_REPORT_EVERY_S = 10.0


def worker_app(settings: Settings) -> RunApp:
    """The worker as a Faust app; :func:`streams.runs.app.serve` runs it."""
    app = new_app(settings, settings.worker.app_id)
    Worker(app, settings)
    return app


def engine_parts(knobs: WorkerSettings) -> tuple[Sequence[Stack], EngineSettings]:
    """The stacks that watch every machine, and what the engine is told once."""
    return choose_stacks(knobs.stacks), EngineSettings(refits=knobs.training_requests, detectors=knobs.detectors)


class Worker:
    """The worker's agents and what they share."""

    def __init__(self, app: RunApp, settings: Settings) -> None:
        topics, knobs = settings.topics, settings.worker
        stacks, engine_settings = engine_parts(knobs)
        build = build_info()
        self._app, self._topics = app, topics
        self._limits = Limits(knobs.max_message_bytes, knobs.max_machines_per_client, knobs.max_machines)
        self._counts = Counts()
        machines = Machines(stacks, engine_settings)
        stamp = Stamp(topics.readings.name, build.version, build.git_commit)
        self._listening = Listening(app, settings, ThrottledWarnings(log))
        self._judge = Judge(machines, stamp, self._limits, self._counts, self._listening.said)

        table = app.Table(
            "worker-state",
            store="wellsentry://state",
            key_type=bytes,
            value_type=bytes,
            partitions=settings.broker.partitions,
            changelog_topic=runs_topic(app, topics.changelog.name),
            options={"machines": machines},
        )
        self._store: StateStore = table.data
        self._durable = Durable(
            app, topics, self._store, self._judge, time.monotonic, knobs.changelog_interval_s, knobs.status_interval_s
        )
        self._judging = asyncio.Lock()  # held while runs are judged, and while partitions are handed over
        tell = ThrottledWarnings(log)
        self._starts: dict[int, Start] = {}  # what each partition of ours begins with
        self._started: set[int] = set()  # partitions that are past that
        self._adopter = Adopter(
            app,
            self._durable,
            self._partition,
            self._judge_runs,
            self._started.__contains__,
            knobs.adoption_interval_s,
            tell,
        )

        app.agent(runs_topic(app, topics.readings.name), name="wellsentry.readings")(self.judge_readings)
        app.agent(runs_topic(app, topics.models.name), name="wellsentry.models")(self.take_models)
        app.agent(runs_topic(app, topics.feedback.name), name="wellsentry.feedback")(self.take_feedback)
        durable, adopter = self._durable, self._adopter
        owning = Owning(app, settings, self._store)
        for task in (
            durable.send_labels,
            durable.following.send_all,
            durable.changelog.write_changes,
            adopter.adopt_models,
            owning.renew_claims,
            self._listening.listen,
            self.ask_for_refits,
            self.report,
        ):
            app.task(_crashing(app, task))
        app.revoke_hooks.append(self.hand_over)
        app.assign_hooks += [owning.take_over, self._listening.begin]
        app.hold_back = self.hold_back
        table.on_recover(self.say_ready)
        silence = Silence(machines, time.monotonic, settings.dashboard.silent_after_s)
        measures = WorkerMeasures(app, topics, self._counts, machines, durable, adopter, tell.counts, silence)
        app.measures.append(measures.measure)
        app.lacks.append(self.lacks)

    # -- readings

    async def judge_readings(self, fetches: Any) -> None:
        """Each run of readings through the engine; what comes of it is made durable behind us."""
        async for runs in fetches:
            for some in together(runs, self._judge.at_once):
                async with self._judging:
                    ours = self._ours(some)
                    self._judge_runs([run for run in ours if not self._adopter.put_aside(run)])
                # Labels go out while the next runs, which are here already, wait: it takes one turn of the loop to begin
                # with that, and some more to end. While machines are read back a turn is a tenth of a second.
                await (self._durable.labels_out() if self._judge.is_slow else asyncio.sleep(0))
                await self._adopter.room()
                await self._durable.room()

    def _judge_runs(self, runs: Sequence[Run]) -> None:
        if not runs:
            return
        changed = self._judge.judge([(self._partition(run.tp.partition), run.records) for run in runs])
        for run, slots in zip(runs, changed, strict=True):
            self._durable.judged(run.tp.partition, slots, run.first_offset)
            self._partition(run.tp.partition).output.came_ms.append(came_ms(run.records))

    def _ours(self, runs: Sequence[Run]) -> list[Run]:
        """Those of ``runs`` whose partitions are ours, and their state known."""
        assigned, ours = self._app.consumer.assignment(), []
        for run in runs:
            if run.tp not in assigned:
                continue
            if run.generation != self._app.consumer_generation_id or not self._store.is_back(run.tp.partition):
                self._app.consumer.go_back()  # it came amid a rebalance, before its partition's state
                continue
            ours.append(run)
        return ours

    def _partition(self, number: int) -> Partition:
        partition = self._durable.partitions.get(number)
        if partition is None:
            partition = self._durable.partitions[number] = Partition(self._store.engine(number), self._limits)
        return partition

    # -- models

    async def take_models(self, fetches: Any) -> None:
        """Models are in force only once that is durable."""
        async for run in each_run(fetches):
            await self._adopter.take_in(run, lambda run: bool(self._ours([run])))

    # -- feedback

    async def take_feedback(self, fetches: Any) -> None:
        """No label depends on it: what comes of it is other training requests."""
        async for run in each_run(fetches):
            if self._ours([run]):
                self._listening.take_in(run)

    async def ask_for_refits(self) -> None:
        """Ask for models of machines of which something was said, for ever."""
        await self._listening.ask_for_refits(self._judge, self._durable, self._partition, self._adopter.changing)

    # -- whose turn it is

    async def hold_back(self, active: set[Any]) -> set[Any]:
        """Of the partitions that could be fetched, those whose turn it is not (:mod:`streams.worker.turns`)."""
        readings, models, feedback = (
            one.name for one in (self._topics.readings, self._topics.models, self._topics.feedback)
        )
        held = {tp for tp in active if tp.topic == models and (self._adopter.is_full or self._adopter.is_early(tp))}
        held |= {tp for tp in active if tp.topic in (readings, feedback) and not self._listening.is_heard(tp.partition)}
        waiting = [tp for tp in active if tp.topic in (readings, models) and tp.partition not in self._started]
        if not waiting:
            return held
        await self._look_at_ends({tp.partition for tp in waiting if tp.topic == readings} - self._starts.keys())
        for tp in waiting:
            start = self._starts.get(tp.partition)
            if start is None:
                held.add(tp)
                continue
            flows = may_flow(start, self._judged_to(tp.partition), self._models_read_to(tp.partition))
            if flows == (True, True):
                self._started.add(tp.partition)
            elif not flows[0 if tp.topic == readings else 1]:
                held.add(tp)
        return held

    async def _look_at_ends(self, numbers: set[int]) -> None:
        if not numbers:
            return
        names = [self._topics.readings.name, self._topics.models.name, self._topics.labels.name]
        ends = await self._app.consumer.highwaters(*(TopicPartition(name, n) for name in names for n in numbers))
        for number in numbers:
            readings, models, labels = (ends[TopicPartition(name, number)] or 0 for name in names)
            self._starts[number] = start_of(self._committed(names[0], number), readings, models, labels)

    def _committed(self, topic: str, number: int) -> int:
        return self._app.consumer._committed_offset.get(TopicPartition(topic, number)) or 0

    def _judged_to(self, number: int) -> int:
        partition = self._durable.partitions.get(number)
        return max(self._committed(self._topics.readings.name, number), partition.position if partition else 0)

    def _models_read_to(self, number: int) -> int:
        models = TopicPartition(self._topics.models.name, number)
        return max(self._committed(models.topic, number), self._adopter.models_read.get(models, 0))

    # -- coming and going

    async def hand_over(self, revoked: set[Any]) -> None:
        """Before partitions go: finish what was begun, commit it, forget them."""
        async with self._judging, self._adopter.changing:
            await self._durable.drain()
            self._durable.forget()
            self._judge.forget()
            self._adopter.forget()
            self._listening.forget()
            self._store.hand_over()
            self._starts.clear()
            self._started.clear()
        if revoked:
            log.info("partitions handed over", action="handed_over", partitions=len(revoked))

    async def say_ready(self) -> None:
        """State is back, readings flow."""
        keep_what_is_there()
        log.info("ready", action="ready", partitions=len(self._app.consumer.assignment()))

    def lacks(self) -> Iterator[str]:
        """What is missing before readings flow: state of partitions that are ours."""
        owned = self._app.consumer.assignment() if self._app.consumer.hears_from_broker() else ()
        numbers = {tp.partition for tp in owned if tp.topic == self._topics.readings.name}
        unread = [number for number in sorted(numbers) if not self._store.is_back(number)]
        if unread:
            yield f"the state of partitions {', '.join(map(str, unread))} is not read back yet"

    async def report(self) -> None:
        """Say every ten seconds how much came in, how fresh it was and what was missing."""
        while True:
            before = Counts(**{name: getattr(self._counts, name) for name in Counts.__slots__})
            await asyncio.sleep(_REPORT_EVERY_S)
            now = self._counts
            if now.readings == before.readings and now.rejected == before.rejected:
                continue
            log.info(
                "readings judged",
                action="progress",
                readings_per_s=round((now.readings - before.readings) / _REPORT_EVERY_S, 1),
                labels=now.labels,
                anomalous=now.anomalous,
                unscored=now.unscored,
                missing_signals=now.missing_signals - before.missing_signals,
                rejected=now.rejected,
                revised=now.revised,
                freshness_s=round(time.time() - now.newest_ms / 1000, 1),
                partitions=len(self._durable.partitions),
            )


def _crashing(app: RunApp, task: Any) -> Any:
    """A background task whose failure ends the process: a worker that cannot write must not go on reading."""

    async def run() -> None:
        try:
            await task()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("worker cannot go on", action="crash", task=task.__name__)
            await app.crash(error)

    run.__name__ = task.__name__
    return run
