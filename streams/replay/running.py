"""A replay on one page, in the order in which the data flow.

plan ─▶ readings ─▶ pieces ─▶ judged by the engine ─▶ labels to a file or a side topic
                                    └─▶ from time to time: how far it has come
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition

from schemas.errors import BrokerError
from streams.reading_ranges import Range, RangeReader
from streams.replay.bookmark import Bookmark, Work
from streams.replay.judging import Replaying
from streams.replay.models import Models
from streams.replay.outputs import Output
from streams.replay.plan import Plan
from streams.settings import Settings

#: State is kept so seldom that it takes at most this part of the time, and at most so often.
SHARE: Final = 0.05
LEAST_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay has come."""

    readings: int  # offsets that are done, of
    of: int
    labels: int
    seconds: float  # that it took, those before a kill included
    readings_per_s: float  # since this process began
    newest_ms: int | None  # Kafka's timestamp of the newest reading


OnProgress = Callable[[Progress], None]


async def run_replay(
    settings: Settings,
    plan: Plan,
    models: Models,
    output: Output,
    work: Work,
    on_progress: OnProgress,
) -> Progress:
    """Do what is planned, from where it was left on. Raises :class:`BrokerError`, :class:`RegistryError`."""
    bookmark = work.bookmark()
    if bookmark is None:
        await output.begin()
        bookmark = Bookmark({n: one.start_offset for n, one in plan.partitions.items()}, {}, {})
        work.keep_bookmark(bookmark)
    else:
        await output.go_on(bookmark.written)
    replaying = Replaying(plan, settings, models)
    replaying.remember(bookmark.fitted)
    replaying.begin_all(bookmark.snapshots, bookmark.positions)
    return await _Run(settings, plan, replaying, output, work, bookmark, on_progress).run()


class _Run:
    def __init__(
        self, settings: Settings, plan: Plan, replaying: Replaying, output: Output, work: Work, bookmark: Bookmark,
        on_progress: OnProgress,
    ) -> None:  # fmt: skip
        self._settings, self._plan, self._replaying = settings, plan, replaying
        self._output, self._work, self._on_progress = output, work, on_progress
        self._positions, self._labels, self._before_s = dict(bookmark.positions), bookmark.labels, bookmark.seconds
        self._begun_s = time.monotonic()
        self._begun_at = self._done()
        self._next_bookmark_s = self._begun_s + LEAST_S
        self._waiting: dict[int, list[Any]] = {number: [] for number in plan.partitions}
        self._newest_ms: int | None = None

    async def run(self) -> Progress:
        left = {
            TopicPartition(self._plan.topic, number): Range(self._positions[number], one.end_offset)
            for number, one in self._plan.partitions.items()
        }
        async with RangeReader(self._settings.broker) as reader, contextlib.aclosing(reader.read(left)) as runs:
            async for run in runs:
                number = run.tp.partition
                self._waiting[number] += run.records
                await self._judge(number, run.last_offset)
                self._newest_ms = max(self._newest_ms or 0, run.records[-1].timestamp)
                self._on_progress(self._progress())
                await self._keep_bookmark_if_due()
        for number, one in self._plan.partitions.items():
            await self._judge(number, one.end_offset)
            if self._positions[number] < one.end_offset:
                raise BrokerError(
                    f"{self._plan.topic}/{number} ended at {self._positions[number]}, before {one.end_offset}"
                )
        await self._output.durable()
        return self._progress()

    async def _judge(self, number: int, known_to: int) -> None:
        """Judge all pieces of a partition that are whole: its records are known up to ``known_to``."""
        waiting, end = self._waiting[number], self._plan.partitions[number].end_offset
        at = 0
        while (first := self._positions[number]) < end and (
            (stop := min(self._replaying.piece_end(number, first), end)) <= known_to
        ):
            begin = at
            while at < len(waiting) and waiting[at].offset < stop:
                at += 1
            labels = self._replaying.judge(number, first, stop, waiting[begin:at])
            self._labels += len(labels)
            if labels:
                await self._output.write(number, labels)
            self._positions[number] = stop
        del waiting[:at]

    async def _keep_bookmark_if_due(self) -> None:
        begun_s = time.monotonic()
        if begun_s < self._next_bookmark_s:
            return
        written = await self._output.durable()
        self._work.keep_bookmark(
            Bookmark(
                dict(self._positions),
                written,
                self._replaying.snapshots(),
                self._replaying.fitted,
                self._labels,
                self._before_s + begun_s - self._begun_s,
            )
        )
        took_s = time.monotonic() - begun_s
        self._next_bookmark_s = begun_s + max(LEAST_S, took_s / SHARE)

    def _done(self) -> int:
        return sum(self._positions[number] - one.start_offset for number, one in self._plan.partitions.items())

    def _progress(self) -> Progress:
        took_s = time.monotonic() - self._begun_s
        rate = (self._done() - self._begun_at) / took_s if took_s > 0 else 0.0
        return Progress(self._done(), self._plan.readings, self._labels, self._before_s + took_s, rate, self._newest_ms)
