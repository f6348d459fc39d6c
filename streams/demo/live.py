"""The demo to look at: simulated wells, faster than life, on a board."""

import asyncio
import contextlib
import sys
import time

from rich.console import Console
from rich.live import Live

from models.simulator import Fleet, Rates
from streams.board.board import Rates as Speed
from streams.board.board import board
from streams.demo.figures import Figures
from streams.demo.options import DemoOptions
from streams.demo.stage import Stage
from streams.demo.watching import Watch
from streams.feed import Pace
from streams.label_store import LabelStore
from streams.simulate import simulate

_HOUR_MS = 3_600_000
#: Of simulated time: nothing happens until each well has a model of its own, then a few wells have an event soon.
_QUIET_MS = 5 * _HOUR_MS
_EARLY_WELLS = 12
_LOOK_EVERY_S = 0.25
_COUNT_EVERY_S = 10.0


async def watch_live(stage: Stage, options: DemoOptions, figures: Figures, stop: asyncio.Event) -> None:
    """Until ``stop``, or for ``options.seconds``."""
    start_ms = round(time.time() * 1000)
    rates = Rates(quiet_ms=_QUIET_MS, early_wells=min(_EARLY_WELLS, options.wells))
    fleet = Fleet(options.seed, options.wells, start_ms, "acme", rates)
    tasks = [
        asyncio.create_task(Watch(stage.settings, figures).run()),
        asyncio.create_task(simulate(stage.settings, fleet, None, pace=Pace(options.factor))),
        asyncio.create_task(_count_stored(stage, figures)),
    ]
    show = _Plain(figures) if options.plain or not sys.stdout.isatty() else _Board(figures)
    began = time.monotonic()
    try:
        with show:
            while not stop.is_set() and (options.seconds is None or time.monotonic() - began < options.seconds):
                stage.check()
                for task in tasks:
                    if task.done():
                        task.result()
                figures.dashboard = figures.dashboard or stage.dashboard
                show.look(time.monotonic() - began)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _LOOK_EVERY_S)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _count_stored(stage: Stage, figures: Figures) -> None:
    """Now and then: counting reads the whole table."""
    while True:
        await asyncio.sleep(_COUNT_EVERY_S)
        figures.stored = await asyncio.to_thread(_count, stage)


def _count(stage: Stage) -> int:
    with LabelStore(stage.settings.dynamodb, stage.settings.sink) as store:
        store.ensure_table()
        return store.count()


class _Show(contextlib.AbstractContextManager["_Show"]):
    """Shows figures, and how fast they change."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._before = (0.0, 0, 0)
        self._speed = Speed(0.0, 0.0)

    def __exit__(self, *_: object) -> None:
        """Nothing to put away."""

    def look(self, elapsed_s: float) -> None:
        """Show the figures as they are now."""
        raise NotImplementedError

    def _speed_now(self, elapsed_s: float, over_s: float) -> Speed:
        then, readings, labels = self._before
        if elapsed_s - then >= over_s:
            figures, passed = self._figures, elapsed_s - then
            self._speed = Speed((figures.readings - readings) / passed, (figures.labels - labels) / passed)
            self._before = (elapsed_s, figures.readings, figures.labels)
        return self._speed


class _Board(_Show):
    def __enter__(self) -> "_Board":
        self._console = Console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.__exit__(None, None, None)

    def look(self, elapsed_s: float) -> None:
        size = self._console.size
        speed = self._speed_now(elapsed_s, 1.0)
        self._live.update(board(self._figures, speed, elapsed_s, size.width, size.height), refresh=True)


class _Plain(_Show):
    _next_s = 0.0

    def look(self, elapsed_s: float) -> None:
        if elapsed_s < self._next_s:
            return
        self._next_s = elapsed_s + 1.0
        figures, speed = self._figures, self._speed_now(elapsed_s, 0.9)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(figures.kinds.items()))
        p99 = figures.latencies.percentile(0.99)
        print(
            f"{elapsed_s:6.1f} s  {speed.readings:,.0f} readings/s  labels: {kinds or 'none'}  "
            f"{figures.rejected} rejected  {len(figures.models)} models  {figures.open_incidents} open incidents  "
            f"p99 {'-' if p99 is None else f'{p99:.0f} ms'}  {figures.dashboard or ''}",
            flush=True,
        )
