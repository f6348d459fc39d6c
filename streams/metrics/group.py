"""A program's place in its consumer group: which partitions are its own, and how far behind it is."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from aiokafka.errors import KafkaError
from faust.types import TP
from prometheus_client.metrics_core import Metric

from streams.log import get_logger
from streams.metrics.families import counter, gauges
from streams.metrics.observing import Observation, observed
from streams.runs.app import RunApp
from streams.settings import Settings

log = get_logger(__name__)

_LOOK_EVERY_S: Final = 5.0
_LOOK_AT_FIRST_S: Final = 0.5


@contextlib.asynccontextmanager
async def observed_app(app: RunApp, settings: Settings, component: str) -> AsyncIterator[str | None]:
    """Serve what can be seen of ``app`` while the block runs, where ``settings.metrics`` has a port: the address."""
    group = Group(app, settings)
    observation = Observation(component, [group.measure, *app.measures], [group.lacks, *app.lacks])
    async with observed(settings.metrics, observation) as url:
        looking = asyncio.create_task(group.look_at_ends()) if settings.metrics.port is not None else None
        try:
            yield url
        finally:
            if looking is not None:
                looking.cancel()
                await asyncio.wait((looking,))


class Group:
    """Knows where the topics end, and what is committed."""

    def __init__(self, app: RunApp, settings: Settings) -> None:
        self._app, self._prefix = app, f"{settings.broker.topic_prefix}."
        self._state = settings.topics.changelog.name  # it is not committed
        self._rebalances = 0
        app.on_partitions_assigned.connect(self._shared_out, weak=False)

    async def _shared_out(self, _: Any, assigned: set[TP], **__: Any) -> None:
        self._rebalances += 1
        log.info(
            "partitions were shared out",
            action="shared_out",
            partitions={self._short(topic): count for topic, count in Counter(tp.topic for tp in assigned).items()},
            times=self._rebalances,
        )

    def _owned(self) -> list[TP]:
        consumer = self._app.consumer
        return [tp for tp in consumer.assignment() if tp.topic != self._state] if consumer.hears_from_broker() else []

    def lacks(self) -> Iterator[str]:
        """A broker, and partitions."""
        if not self._app.consumer.hears_from_broker():
            yield "no broker answers"
        elif self._app.rebalancing:
            yield "partitions are being shared out"
        elif not self._owned():
            yield "no partition is ours"

    async def look_at_ends(self) -> None:
        """Ask every few seconds where our partitions end, for ever."""
        while True:
            owned = self._owned()
            try:
                self._app.ends = await asyncio.wait_for(self._app.consumer.ends(owned), _LOOK_EVERY_S) if owned else {}
            except (KafkaError, TimeoutError, OSError):
                self._app.ends = {}  # better no figure than an old one
            await asyncio.sleep(_LOOK_EVERY_S if owned else _LOOK_AT_FIRST_S)

    def measure(self) -> Iterator[Metric]:
        """Partitions, lag and rebalances."""
        owned = self._owned()
        yield gauges(
            "wellsentry_partitions_owned",
            "Partitions that are this program's own.",
            ("topic",),
            {(self._short(topic),): count for topic, count in Counter(tp.topic for tp in owned).items()},
        )
        ends = {tp: end for tp, end in self._app.ends.items() if tp in owned}
        yield gauges(
            "wellsentry_lag_records",
            "Records that are not committed yet.",
            ("topic", "partition"),
            {(self._short(tp.topic), str(tp.partition)): max(0, end - self._committed(tp)) for tp, end in ends.items()},
        )
        yield counter("wellsentry_rebalances_total", "How often partitions were shared out.", self._rebalances)
        yield counter(
            "wellsentry_claims_lost_total",
            "How often another had claimed a partition of ours, for we stood still.",
            self._app.claims_lost,
        )

    def _committed(self, tp: TP) -> int:
        found_at_start = self._app.consumer._committed_offset.get(tp) or 0
        return max(found_at_start, self._app.committed.get(tp, 0))

    def _short(self, topic: str) -> str:
        return topic.removeprefix(self._prefix)
