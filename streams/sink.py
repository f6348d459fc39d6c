"""The sink: labels from their topic into DynamoDB, then the offset.

    labels ─▶ run ─▶ decoded ─▶ gathered by machine ─▶ packed ─▶ written ─▶ committed

It is a consumer group of its own. Whatever ends it, at whatever moment, what is not committed is read again, and
writing a label again changes nothing (:mod:`streams.label_store`).
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition

from schemas.times import iso
from streams.access.rights import rights
from streams.label_store import LabelStore, Written
from streams.label_store.gathering import Gathering
from streams.label_store.rows import LabelRow, NotALabel, decode_label
from streams.log import get_logger, setup_logging, timed
from streams.metrics.families import Buckets, Metric, counter, gauge, histograms
from streams.metrics.group import observed_app
from streams.runs.app import RunApp, new_app, runs_topic, serve
from streams.runs.collecting import keep_what_is_there
from streams.runs.committing import commit_offsets
from streams.runs.memory import keep_little_memory
from streams.runs.run import Run, each_run
from streams.settings import Settings
from streams.topics_admin import require_topics

log = get_logger(__name__)

#: Labels that may wait for others of their machine: some 100 MB. Beyond it the oldest are written as they are.
_MOST_WAITING: Final = 1_000_000
_LOOK_EVERY_S: Final = 0.2
#: Whoever ends the sink, or waits for its partitions, does not wait longer. What is not written then is read again.
_HAND_OVER_WITHIN_S: Final = 4.0
_REPORT_EVERY_S: Final = 10.0


def run_sink(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM; what has been read is written and committed first.

    Raises :class:`schemas.errors.StoreError` when DynamoDB refuses, or keeps failing.
    """
    setup_logging(settings, "sink")
    keep_little_memory()  # fetched records and items go from thread to thread
    require_topics(settings, rights(settings)["sink"])

    async def main() -> None:
        with LabelStore(settings.dynamodb, settings.sink) as store:
            with timed(log, "table ready", action="table", table=store.table):
                await asyncio.to_thread(store.ensure_table)
            app = sink_app(settings, store)
            keep_what_is_there()
            async with observed_app(app, settings, "sink"):
                await serve(app)

    asyncio.run(main())


def sink_app(settings: Settings, store: LabelStore) -> RunApp:
    """The sink as a Faust app, writing to ``store``; :func:`streams.runs.app.serve` runs it."""
    app = new_app(settings, settings.sink.app_id)
    Sink(app, settings, store)
    return app


class Sink:
    """One agent that gathers and one task that writes."""

    def __init__(self, app: RunApp, settings: Settings, store: LabelStore) -> None:
        self._app, self._store, self._linger_s = app, store, settings.sink.linger_s
        self._gathering: Gathering[TopicPartition] = Gathering(
            settings.sink.linger_s, settings.sink.labels_per_item, _MOST_WAITING
        )
        self._writing = asyncio.Lock()
        self._room = asyncio.Event()
        self._handed_over: int | None = None  # the group's generation whose partitions are given up
        self._committed: dict[TopicPartition, int] = {}
        self._counts = _Counts()  # since the last report
        self._totals = _Counts()  # since the process started
        self._write_s = Buckets()
        app.measures.append(self.measure)
        app.plainly = frozenset((settings.topics.labels.name,))
        app.agent(runs_topic(app, settings.topics.labels.name), name="wellsentry.sink")(self.gather)
        app.task(self.write_when_due)
        app.task(self.report)
        app.revoke_hooks.append(self.hand_over)
        app.on_partitions_assigned.connect(self.take_again, weak=False)
        app.on_before_shutdown.connect(self.hand_over, weak=False)

    async def gather(self, fetches: Any) -> None:
        """Take each run in, as fast as the table follows."""
        async for run in each_run(fetches):
            while self._keeps(run.generation) and not self._gathering.has_room:
                self._room.clear()
                await self._room.wait()
            if self._keeps(run.generation) and run.tp in self._app.consumer.assignment():
                self._take_in(run)

    def _keeps(self, generation: int) -> bool:
        """Whether what came in ``generation`` is ours still; what is not is read again."""
        return generation != self._handed_over and bool(generation == self._app.consumer_generation_id)

    def _take_in(self, run: Run) -> None:
        now_s = time.monotonic()
        row = None
        for record in run.records:
            row = self._label_in(run.tp, record)
            self._gathering.add(run.tp, record.offset, row, now_s)
        if row is not None:
            self._counts.newest_ms = max(self._counts.newest_ms, row.time_ms)

    def _label_in(self, tp: TopicPartition, record: Any) -> LabelRow | None:
        try:
            return decode_label(record.value)
        except NotALabel as error:
            self._counts.skipped += 1
            self._totals.skipped += 1
            self._counts.last_skipped = f"{tp.topic}/{tp.partition}/{record.offset}: {error}"
            return None

    async def write_when_due(self) -> None:
        """Write what is due and commit. A failure ends the process: nothing may be committed past it."""
        try:
            while True:
                if not await self._write(everything=False):
                    await asyncio.sleep(_LOOK_EVERY_S)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("sink cannot go on", action="crash")
            await self._app.crash(error)

    async def hand_over(self, *_: Any, **__: Any) -> None:
        """Before partitions go, or the sink ends: write what was read, commit it, forget it.

        What comes from now on is left alone, and what is not written in time too: nothing of it is committed, so it is
        read again.
        """
        if self._handed_over == self._app.consumer_generation_id:
            return  # since then nothing was taken in
        self._handed_over = self._app.consumer_generation_id
        try:
            await asyncio.wait_for(self._write_everything(), _HAND_OVER_WITHIN_S)
        except TimeoutError:
            log.warning("labels left to be read again", action="hand_over", waiting=self._gathering.waiting)
        self._gathering.forget()
        self._committed.clear()
        self._room.set()

    async def take_again(self, *_: Any, **__: Any) -> None:
        """Partitions came, be it in a generation of the same number, as of a broker that forgot its groups."""
        self._handed_over = None

    async def _write_everything(self) -> None:
        while await self._write(everything=True):
            pass

    async def _write(self, *, everything: bool) -> bool:
        """One write of what is due, then the offsets; whether anything was due."""
        async with self._writing:
            due = self._gathering.take(time.monotonic(), everything)
            if due:
                started = time.perf_counter()
                written = await asyncio.to_thread(self._store.write_bundles, due)
                self._gathering.done(due)
                self._room.set()
                took_ms = _ms_since(started)
                self._write_s.add_one(took_ms / 1000)
                self._counts.wrote(written, took_ms)
                self._totals.wrote(written, took_ms)
            await self._commit()
            return bool(due)

    async def _commit(self) -> None:
        moved = {tp: at for tp, at in self._gathering.next_offsets().items() if self._committed.get(tp) != at}
        if moved and await commit_offsets(self._app, moved):
            self._committed.update(moved)

    def measure(self) -> Iterator[Metric]:
        """What was stored, as metrics."""
        totals = self._totals
        yield counter("wellsentry_sink_labels_total", "Labels that were stored.", totals.labels)
        yield counter("wellsentry_sink_items_total", "Items they were stored in.", totals.items)
        yield counter(
            "wellsentry_sink_write_units_total", "Write units that DynamoDB took for them.", totals.write_units
        )
        yield counter("wellsentry_sink_retries_total", "Requests that were sent once more.", totals.retries)
        yield counter("wellsentry_sink_skipped_total", "Records that hold no label.", totals.skipped)
        yield gauge("wellsentry_sink_waiting_labels", "Labels that wait for others.", self._gathering.waiting)
        since_s = self._gathering.since_s
        yield gauge(
            "wellsentry_sink_oldest_waiting_seconds",
            "How long the oldest label that was read and not stored waits.",
            0.0 if since_s is None else time.monotonic() - since_s,
        )
        yield gauge("wellsentry_sink_linger_seconds", "How long a label may wait, by sink.linger_s.", self._linger_s)
        newest_s = self._counts.newest_ms / 1000
        yield gauge("wellsentry_sink_newest_label_timestamp_seconds", "Event time of the newest label read.", newest_s)
        yield histograms(
            "wellsentry_sink_write_seconds", "How long writes took, tries included.", (), {(): self._write_s}
        )

    async def report(self) -> None:
        """Say every ten seconds what was written, what it took and what was no label."""
        while True:
            await asyncio.sleep(_REPORT_EVERY_S)
            counts, self._counts = self._counts, _Counts(newest_ms=self._counts.newest_ms)
            if counts.skipped:
                log.warning(
                    "records that hold no label", action="skip", records=counts.skipped, last=counts.last_skipped
                )
            if counts.labels:
                log.info("labels stored", action="progress", waiting=self._gathering.waiting, **counts.summary())


@dataclass(slots=True)
class _Counts:
    """What happened since they were begun."""

    labels: int = 0
    items: int = 0
    write_units: float = 0.0
    retries: int = 0
    slowest_write_ms: float = 0.0
    newest_ms: int = 0  # event time
    skipped: int = 0
    last_skipped: str = ""

    def wrote(self, written: Written, took_ms: float) -> None:
        self.labels += written.labels
        self.items += written.items
        self.write_units += written.write_units
        self.retries += written.retries
        self.slowest_write_ms = max(self.slowest_write_ms, took_ms)

    def summary(self) -> dict[str, Any]:
        return {
            "labels_per_s": round(self.labels / _REPORT_EVERY_S, 1),
            "items": self.items,
            "write_units": self.write_units,
            "retries": self.retries,
            "slowest_write_ms": self.slowest_write_ms,
            "newest": iso(self.newest_ms),
            "freshness_s": round(time.time() - self.newest_ms / 1000, 1),
        }


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
