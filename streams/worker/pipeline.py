"""The worker on one page, in the order in which the data flow.

readings ─▶ run ─▶ decoded ─▶ judged by the engine ─▶ labels, incidents, status, rejected, training
                                                       then changelog, then offset
models ───▶ run ─▶ adopted, durably ─▶ in force for the readings that come next
"""

import asyncio
import gc
import time
from typing import Any

from aiokafka import TopicPartition

from models.engine.engine import Engine
from models.engine.labels import Stamp
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from streams.build_info import build_info
from streams.log import ThrottledWarnings, get_logger
from streams.runs.app import RunApp, new_app, runs_topic
from streams.runs.committing import commit_offsets
from streams.settings import Settings
from streams.worker.adoption import adopt, read_updates
from streams.worker.durable import Durable
from streams.worker.intake import Limits
from streams.worker.partition import Counts, Partition
from streams.worker.store import StateStore

log = get_logger(__name__)

_REPORT_EVERY_S = 10.0


def worker_app(settings: Settings) -> RunApp:
    """The worker as a Faust app; :func:`streams.runs.app.serve` runs it."""
    app = new_app(settings, settings.worker.app_id)
    Worker(app, settings)
    return app


class Worker:
    """The worker's agents and what they share."""

    def __init__(self, app: RunApp, settings: Settings) -> None:
        topics, knobs = settings.topics, settings.worker
        stacks = choose_stacks(knobs.stacks)
        engine_settings = EngineSettings(refits=knobs.training_requests, detectors=knobs.detectors)
        build = build_info()
        self._app, self._settings, self._topics = app, settings, topics
        self._limits = Limits(knobs.max_message_bytes, knobs.max_machines_per_client)
        self._build = (build.version, build.git_commit)
        self._counts = Counts()
        self._tell = ThrottledWarnings(log)

        table = app.Table(
            "worker-state",
            store="wellsentry://state",
            key_type=bytes,
            value_type=bytes,
            partitions=settings.broker.partitions,
            changelog_topic=runs_topic(app, topics.changelog.name),
            options={"new_engine": lambda: Engine(stacks, engine_settings)},
        )
        self._store: StateStore = table.data
        self._durable = Durable(
            app, topics, self._store, time.monotonic, knobs.changelog_interval_s, knobs.status_interval_s
        )
        self._judging = asyncio.Lock()  # held while a run is judged, and while models change
        self._models_read: dict[TopicPartition, int] = {}  # next offset of each partition of the models topic
        self._models_end: dict[TopicPartition, int] = {}  # where these ended when the partition became ours
        self._models_known: set[Any] = set()  # partitions of readings whose models, as of then, are all in force

        app.agent(runs_topic(app, topics.readings.name), name="wellsentry.readings")(self.judge_readings)
        app.agent(runs_topic(app, topics.models.name), name="wellsentry.models")(self.adopt_models)
        for task in (self._durable.send_labels, self._durable.write_changelog, self.report):
            app.task(_crashing(app, task))
        app.revoke_hooks.append(self.hand_over)
        app.hold_back = self.until_models_known
        table.on_recover(self.say_ready)

    # -- readings

    async def judge_readings(self, runs: Any) -> None:
        """Each run of readings through the engine; what comes of it is made durable behind us."""
        async for run in runs:
            async with self._judging:
                if run.tp in self._app.consumer.assignment():
                    self._partition(run.tp.partition).judge(run.records)
                    self._durable.judged()
            await self._durable.room()

    def _partition(self, number: int) -> Partition:
        partition = self._durable.partitions.get(number)
        if partition is None:
            stamp = Stamp(self._topics.readings.name, number, *self._build)
            partition = Partition(self._store.engine(number), stamp, self._limits, self._counts)
            self._durable.partitions[number] = partition
        return partition

    # -- models

    async def adopt_models(self, runs: Any) -> None:
        """Models are in force only once that is durable: nothing is judged meanwhile."""
        async for run in runs:
            updates = read_updates(run.records, self._tell)
            async with self._judging:
                if run.tp not in self._app.consumer.assignment():
                    continue
                await self._durable.drain()
                number = run.tp.partition
                await self._durable.write({number: adopt(self._partition(number), updates, self._tell)})
                await commit_offsets(self._app, {run.tp: run.last_offset + 1})
                self._models_read[run.tp] = run.last_offset + 1

    async def until_models_known(self, active: set[Any]) -> set[Any]:
        """Hold readings back until models published before we started are in force: the first reading is judged by them."""
        waiting = {tp for tp in active if tp.topic == self._topics.readings.name} - self._models_known
        if not waiting:
            return waiting
        models = {tp: TopicPartition(self._topics.models.name, tp.partition) for tp in waiting}
        if missing := [one for one in models.values() if one not in self._models_end]:
            self._models_end.update(await self._app.consumer.highwaters(*missing))
        committed = self._app.consumer._committed_offset
        for tp, one in models.items():
            if max(committed.get(one) or 0, self._models_read.get(one, 0)) >= (self._models_end[one] or 0):
                self._models_known.add(tp)
        return waiting - self._models_known

    # -- coming and going

    async def hand_over(self, revoked: set[Any]) -> None:
        """Before partitions go: finish what was begun, commit it, forget them."""
        async with self._judging:
            await self._durable.drain()
            self._durable.partitions.clear()
            self._models_known.clear()
            self._models_end.clear()
        if revoked:
            log.info("partitions handed over", action="handed_over", partitions=len(revoked))

    async def say_ready(self) -> None:
        """State is back, readings flow."""
        # Objects made so far live as long as the process: the collector need not look at them again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        log.info("ready", action="ready", partitions=len(self._app.consumer.assignment()))

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
