"""Serving what can be seen of a program while it runs."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import Metric

from streams.build_info import build_info
from streams.log import get_logger
from streams.metrics.asking import LoopStandsStill, ask
from streams.metrics.families import Measure, gauge, gauges
from streams.metrics.serving import Answers, serving
from streams.settings import MetricsSettings

log = get_logger(__name__)

#: What is not there yet, or not any more, in words; ready is who lacks nothing. Called in the event loop.
Lacks = Callable[[], Iterable[str]]

#: A loop that does not turn for so long stands still. Reading state back takes a tenth of a second a turn.
_TURNS_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Observation:
    """What can be seen of one program."""

    component: str
    measures: Sequence[Measure]
    lacks: Sequence[Lacks]

    def missing(self) -> list[str]:
        """What it lacks to be ready."""
        return [one for lacks in self.lacks for one in lacks()]


@contextlib.asynccontextmanager
async def observed(settings: MetricsSettings, observation: Observation) -> AsyncIterator[str | None]:
    """Serve it while the block runs, where ``settings`` have a port: the address; else nothing happens.

    Raises :class:`schemas.errors.BadSettings` where nobody can listen there.
    """
    if settings.port is None:
        yield None
        return
    answers = _answers(observation, asyncio.get_running_loop())
    with serving(settings.host, settings.port, answers) as url:
        log.info("metrics are served", action="metrics_served", url=url)
        yield url


def _answers(observation: Observation, loop: asyncio.AbstractEventLoop) -> Answers:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Asked(observation, loop))
    return Answers(
        registry,
        alive=lambda: ask(loop, lambda: None, _TURNS_WITHIN_S),
        missing=lambda: ask(loop, observation.missing, _TURNS_WITHIN_S),
    )


class _Asked:
    """Asks a program's event loop for its numbers when Prometheus asks."""

    def __init__(self, observation: Observation, loop: asyncio.AbstractEventLoop) -> None:
        self._observation, self._loop = observation, loop

    def collect(self) -> Iterator[Metric]:
        """All families; of a program whose loop stands still only that it does."""
        began_s = time.perf_counter()
        found: list[Metric] = []
        waited_s = _TURNS_WITHIN_S
        with contextlib.suppress(LoopStandsStill):
            asked_s, found = ask(self._loop, self._families, _TURNS_WITHIN_S)
            waited_s = asked_s - began_s
        yield from found
        yield gauge("wellsentry_event_loop_wait_seconds", "How long the event loop let this scrape wait.", waited_s)
        build = build_info()
        yield gauges(
            "wellsentry_build_info",
            "Always 1; its labels say which code this is.",
            ("component", "version", "git_commit"),
            {(self._observation.component, build.version, build.git_commit): 1.0},
        )

    def _families(self) -> tuple[float, list[Metric]]:
        asked_s = time.perf_counter()
        families = [family for measure in self._observation.measures for family in measure()]
        ready = not self._observation.missing()
        return asked_s, [*families, gauge("wellsentry_ready", "1 if it lacks nothing to do its work.", float(ready))]
