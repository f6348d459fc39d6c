"""All that the page on health shows, gathered while the dashboard runs."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from kafka.errors import KafkaError

from streams.dashboard.following import Following
from streams.dashboard.health.groups import Group, Groups
from streams.dashboard.health.latency import Latency
from streams.dashboard.health.rejections import Rejections
from streams.dashboard.health.verdicts import Verdicts, is_flood
from streams.dashboard.picture import Picture
from streams.dashboard.seen import LabelSeen
from streams.dashboard.viewer import Viewer
from streams.log import get_logger
from streams.settings import Settings

log = get_logger(__name__)

_ASK_EVERY_S: Final = 5.0
_SAMPLES_SHOWN: Final = 20


class Monitor:
    """Takes labels and rejections as they come, and asks the broker for the rest."""

    def __init__(self, settings: Settings, picture: Picture, now_ms: Callable[[], int]) -> None:
        self._settings, self._picture, self._now_ms = settings, picture, now_ms
        self.verdicts, self.latency, self.rejections = Verdicts(), Latency(), Rejections()
        self._groups: list[Group] = []
        self._rates: dict[str, float] = {}  # records a second, by program
        self._asked_at_s = 0.0
        self._broker: str | None = None  # why it does not answer
        self._shown: dict[frozenset[str] | None, dict[str, Any]] = {}  # by clients that are seen
        self._shown_second = 0

    def take_labels(self, labels: list[tuple[LabelSeen, int]]) -> None:
        """A listener of :class:`Following`."""
        self.verdicts.take(labels)
        self.latency.take(labels)

    async def ask(self) -> None:
        """For ever: who is at work and how far behind. A broker that does not answer is shown as such."""
        while True:
            try:
                await self._ask_while_it_answers()
            except (KafkaError, OSError) as error:
                self._broker = str(error) or type(error).__name__
                log.warning("the broker does not tell who is at work", action="ask", why=self._broker)
            await asyncio.sleep(_ASK_EVERY_S)

    async def _ask_while_it_answers(self) -> None:
        groups = await asyncio.to_thread(Groups, self._settings)
        try:
            while True:
                self._found(await asyncio.to_thread(groups.now))
                await asyncio.sleep(_ASK_EVERY_S)
        finally:
            await asyncio.to_thread(groups.close)

    def _found(self, groups: list[Group]) -> None:
        now_s, before = time.monotonic(), {one.program: one.total for one in self._groups}
        for one in groups:
            if one.program in before:
                self._rates[one.program] = max(0, one.total - before[one.program]) / (now_s - self._asked_at_s)
        self._groups, self._asked_at_s, self._broker = groups, now_s, None

    def shown(self, viewer: Viewer, following: Following) -> dict[str, Any]:
        """Everything as plain values. What is of other clients is not in it; whoever sees some only sees no rejections.

        All who see the same clients share what one of them was shown in the same second: it goes over all rows.
        """
        now_ms = self._now_ms()
        if now_ms // 1000 != self._shown_second:
            self._shown, self._shown_second = {}, now_ms // 1000
        if viewer.clients not in self._shown:
            self._shown[viewer.clients] = self._look(viewer, following, now_ms)
        return self._shown[viewer.clients]

    def _look(self, viewer: Viewer, following: Following, now_ms: int) -> dict[str, Any]:
        now, usual = self.verdicts.anomalous(viewer, now_ms)
        rows = [row for key, row in self._picture.rows.items() if viewer.sees(key[0])]
        everything = viewer.clients is None
        return {
            "at_ms": now_ms,
            "broker": self._broker if everything or self._broker is None else "ask whoever runs wellsentry",
            "behind": following.lag,
            "skipped": following.skipped,
            "groups": [
                {
                    "program": one.program,
                    "group": one.group,
                    "lag": one.lag,
                    "per_s": round(self._rates.get(one.program, 0.0), 1),
                    "members": None
                    if one.members is None
                    else [{"partitions": member.partitions} for member in one.members],
                }
                for one in self._groups
            ],
            "latency_ms": {
                "p50": self.latency.percentile_ms(0.5),
                "p99": self.latency.percentile_ms(0.99),
                "samples": len(self.latency.samples_ms),
            },
            "labels": self.verdicts.counts(viewer, now_ms),
            "anomalous": {"now": now.share, "usual": usual.share, "flood": is_flood(now, usual)},
            "machines": dict(Counter(row.state for row in rows)),
            "models": dict(Counter(row.model_rung or "none" for row in rows)),
            "oldest_model_ms": min((row.fitted_ms for row in rows if row.fitted_ms is not None), default=None),
            "rejected": self.rejections.by_reason(now_ms) if everything else None,
            "rejected_samples": (
                [asdict(one) for one in list(self.rejections.samples)[: -_SAMPLES_SHOWN - 1 : -1]]
                if everything
                else None
            ),
        }
