"""The demo as a check: files in, every reading labelled or rejected, every label in DynamoDB, a report, the end."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.batches import WideBatch
from streams.demo.figures import DemoFailed, Figures, what_is_missing
from streams.demo.options import DemoOptions
from streams.demo.stage import Stage
from streams.demo.watching import Watch
from streams.feed import FLAT_OUT, feed
from streams.files import read_files
from streams.files.merging import merge
from streams.label_store import LabelStore

#: Readings sent before the labels so far and the models asked for are waited for: so that models get to judge files too.
_PORTION = 500
_MODELS_WITHIN_S = 5.0
_STILL_FOR_S = 60.0
_LOOK_EVERY_S = 0.05
_COUNT_EVERY_S = 0.5


async def stream_once(stage: Stage, options: DemoOptions, figures: Figures, stop: asyncio.Event) -> dict[str, Any]:
    """Stream the files and return the report. Raises :class:`DemoFailed` if anything is missing."""
    began = time.monotonic()
    kept: list[tuple[int, int, bytes]] = []
    watch = asyncio.create_task(Watch(stage.settings, figures, kept if options.labels_out else None).run())
    progress = _Progress(stage, figures, len(stage.settings.worker.stacks))
    while not stage.ready and not stop.is_set():  # or the worker's start would be part of the latency
        progress.check()
        await asyncio.sleep(_LOOK_EVERY_S)
    readings = progress.in_portions(merge(read_files(options.once)))
    feeding = asyncio.create_task(feed(stage.settings, readings, pace=FLAT_OUT))
    try:
        while not feeding.done() or figures.labels < progress.due(feeding.result().readings):
            if stop.is_set():
                raise DemoFailed("interrupted before all readings were labelled")
            if watch.done():
                watch.result()
            progress.check()
            await asyncio.sleep(_LOOK_EVERY_S)
        sent = feeding.result().readings
        stored = await _until_stored(stage, figures.labels, stop)
    finally:
        progress.over = True
        feeding.cancel()
        watch.cancel()
        await asyncio.gather(feeding, watch, return_exceptions=True)
    if options.labels_out is not None:
        _write_labels(options.labels_out, kept)
    p50, p99 = figures.latencies.percentile(0.5), figures.latencies.percentile(0.99)
    report = {
        "readings": sent,
        "labels": figures.labels,
        "labels_by_kind": dict(sorted(figures.kinds.items())),
        "rejected": figures.rejected,
        "stored": stored,
        "models": len(figures.models),
        "latency_p50_ms": p50,
        "latency_p99_ms": p99,
        "seconds": round(time.monotonic() - began, 3),
    }
    if options.report is not None:
        options.report.write_text(json.dumps(report, indent=2) + "\n")
    missing = what_is_missing(figures, sent, len(stage.settings.worker.stacks), stored)
    if missing:
        raise DemoFailed("; ".join(missing))
    return report


def _count(stage: Stage) -> int:
    with LabelStore(stage.settings.dynamodb, stage.settings.sink) as store:
        return store.count()


async def _until_stored(stage: Stage, labels: int, stop: asyncio.Event) -> int:
    """How many labels DynamoDB holds once it holds all, or has taken no further one for a while."""
    stored, moved_s = -1, time.monotonic()
    while not stop.is_set() and time.monotonic() - moved_s < _STILL_FOR_S:
        stage.check()
        now = await asyncio.to_thread(_count, stage)
        if now == labels:
            return now
        if now != stored:
            stored, moved_s = now, time.monotonic()
        await asyncio.sleep(_COUNT_EVERY_S)
    return stored


def _write_labels(path: Path, kept: list[tuple[int, int, bytes]]) -> None:
    """Each label once, by partition and offset of its reading as its id tells, one a line."""
    lines = {json.loads(raw)["label_id"]: raw for _, _, raw in kept}
    order = sorted(lines, key=lambda label_id: (label_id.split("-")[0], *map(int, label_id.split("-")[1:])))
    path.write_bytes(b"".join(lines[label_id] + b"\n" for label_id in order))


class _Progress:
    """Portions the feed, and raises when nothing moves any more."""

    def __init__(self, stage: Stage, figures: Figures, stacks: int) -> None:
        self._stage, self._figures, self._stacks = stage, figures, stacks
        self._seen: tuple[int, ...] = ()
        self._moved_s = time.monotonic()
        self._sent = 0
        self.over = False

    def due(self, sent: int) -> int:
        """Labels that must come of so many readings."""
        return (sent - self._figures.rejected) * self._stacks

    def check(self) -> None:
        """Raise :class:`DemoFailed` when a program died or nothing has moved for a minute."""
        self._stage.check()
        figures = self._figures
        now = (figures.readings, figures.labels, figures.rejected, len(figures.models))
        if now != self._seen:
            self._seen, self._moved_s = now, time.monotonic()
        elif time.monotonic() - self._moved_s > _STILL_FOR_S:
            logs = "\n".join(f"-- {child.command}\n{child.tail(5)}" for child in self._stage.children)
            raise DemoFailed(
                f"nothing moved for {_STILL_FOR_S:.0f} s: {figures.readings} readings, {figures.labels} labels, "
                f"{figures.rejected} rejected\n{logs}"
            )

    def in_portions(self, batches: Iterator[WideBatch]) -> Iterator[WideBatch]:
        """The same readings, held back now and then. Runs in the feed's thread, so it may wait."""
        for batch in batches:
            for start in range(0, len(batch), _PORTION):
                portion = batch.part(start, min(start + _PORTION, len(batch)))
                yield portion
                self._sent += len(portion)
                self._wait_for_labels_and_models()

    def _wait_for_labels_and_models(self) -> None:
        figures = self._figures
        while not self.over and figures.labels < self.due(self._sent):
            time.sleep(_LOOK_EVERY_S)
        deadline = time.monotonic() + _MODELS_WITHIN_S
        while not self.over and figures.unanswered and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_S)
