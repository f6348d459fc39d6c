"""`wellsentry notify`: every target by itself, and what people said, which all of them heed.

    incidents ─▶ teller of each target ─▶ webhook or apprise
    feedback ──▶ said ──┘

Each target is a consumer group of its own, `<app_id>-<target>`. So a target that is down stands still at its own place in
the topic and holds nobody else back; how far each one is can be seen with Kafka's own tools; and what waits is kept by Kafka.
"""

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import BadSettings
from streams.access.rights import rights
from streams.log import get_logger, setup_logging
from streams.metrics.observing import observed
from streams.notifier.counts import Counts
from streams.notifier.measures import observation
from streams.notifier.said import Said, follow_feedback
from streams.notifier.targets import TargetSettings
from streams.notifier.telling import Sender, Teller
from streams.settings import Settings
from streams.topics_admin import require_topics

if TYPE_CHECKING:
    from streams.notifier.by_apprise import ByApprise
    from streams.notifier.webhook import Webhook

_Task = asyncio.Task[Any]

log = get_logger(__name__)

#: Longer than any try may take.
_END_WITHIN_S: Final = 25.0


class Notifier:
    """All targets of one process."""

    def __init__(self, settings: Settings, jitter: Callable[[], float] = random.random) -> None:
        self._settings, self._said, self._jitter = settings, Said(), jitter
        self._tellers: dict[str, Teller] = {}
        self.counts: dict[str, Counts] = {}  # by target
        self._not_ready: set[str] = set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Tell until ``stopping``. Whatever fails ends it all, and is raised."""
        async with senders(self._settings) as found:
            for name, sender in found.items():
                target = self._settings.notifier.targets[name]
                teller = Teller(name, target, sender, self._said, self._jitter, self._settings)
                self._tellers[name], self.counts[name] = teller, teller.counts
            self._not_ready = set(self._tellers)
            caught_up = asyncio.Event()
            feedback = asyncio.create_task(follow_feedback(self._settings, self._said, caught_up))
            caught, stop = asyncio.create_task(caught_up.wait()), asyncio.create_task(stopping.wait())
            try:
                await _first(feedback, caught, stop)
                if not stop.done():
                    await self._tell(feedback, stop, stopping)
            finally:
                await _end(feedback, caught, stop)

    def missing(self) -> list[str]:
        """Targets whose partitions are not here yet."""
        return [f"partitions of target {name}" for name in sorted(self._not_ready)]

    async def _tell(self, feedback: _Task, stop: _Task, stopping: asyncio.Event) -> None:
        def ready(name: str) -> None:
            if name in self._not_ready:
                self._not_ready.remove(name)
                if not self._not_ready:
                    log.info("notifier is ready", action="ready", targets=sorted(self._tellers))

        telling = {
            asyncio.create_task(one.run(stopping, lambda name=name: ready(name)))  # type: ignore[misc]
            for name, one in self._tellers.items()
        }
        try:
            await _first(feedback, stop, *telling)
            await asyncio.wait(telling, timeout=_END_WITHIN_S)
        finally:
            await _end(*telling)
        for task in telling:
            if not task.cancelled():
                task.result()


async def _end(*tasks: _Task) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _first(*tasks: _Task) -> None:
    """Wait for the first of ``tasks`` to end; raise what it failed of."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


@contextlib.asynccontextmanager
async def senders(settings: Settings) -> AsyncIterator[Mapping[str, Sender]]:
    """What reaches each target, by name. Raises :class:`BadSettings` where an address or file cannot be used."""
    async with contextlib.AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(_sender(name, target))
            for name, target in settings.notifier.targets.items()
        }


def _sender(name: str, target: TargetSettings) -> "Webhook | ByApprise":
    if target.url is not None:
        from streams.notifier.webhook import Webhook

        return Webhook(name, target)
    from streams.notifier.by_apprise import ByApprise  # takes half a second

    return ByApprise(name, target)


def require_targets(settings: Settings) -> None:
    """Raise :class:`BadSettings` where nobody is to be told."""
    if not settings.notifier.targets:
        raise BadSettings(
            "nobody is to be told: name a target in wellsentry.toml, [notifier.targets.NAME], as docs/notifications.md shows"
        )


def run_notifier(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM; a try that is under way is finished, and committed."""
    setup_logging(settings, "notifier")
    require_targets(settings)
    group = f"{settings.notifier.app_id}-{next(iter(settings.notifier.targets))}"
    require_topics(settings, replace(rights(settings)["notifier"], joins=group))

    async def main() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        notifier = Notifier(settings)
        async with observed(settings.metrics, observation(notifier.counts, notifier.missing)):
            await notifier.run(stopping)

    asyncio.run(main())
