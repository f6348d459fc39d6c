"""``GET /health``: how the dashboard is doing."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter

from schemas.api import Health, StreamsOpen
from streams.dashboard.events.readers import Readers
from streams.dashboard.following import Following
from streams.dashboard.picture import Picture
from streams.dashboard.rest.known import Asking, Known
from streams.dashboard.rest.problems import problems
from streams.dashboard.rest.views import cases_seen

_EVERY_S: Final = 2.0
_OVER: Final = 31


class Rate:
    """How fast a count grows, of the last few looks at it.

    >>> rate = Rate()
    >>> rate.look(1_000, 10), rate.look(3_000, 50), rate.per_s
    (None, None, 20.0)
    """

    def __init__(self) -> None:
        self._looks: deque[tuple[int, int]] = deque(maxlen=_OVER)

    def look(self, now_ms: int, count: int) -> None:
        """The count is this."""
        self._looks.append((now_ms, count))

    async def look_on(self, picture: Picture, now_ms: Callable[[], int]) -> None:
        """For ever, at the labels of a picture."""
        while True:
            self.look(now_ms(), picture.labels)
            await asyncio.sleep(_EVERY_S)

    @property
    def per_s(self) -> float:
        """0 until it was looked at twice."""
        if len(self._looks) < 2:
            return 0.0
        (began_ms, first), (ended_ms, last) = self._looks[0], self._looks[-1]
        return round((last - first) * 1000 / max(1, ended_ms - began_ms), 1)


def health_router(known: Known, following: Following, rate: Rate, readers: Readers) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["health"])

    @router.get("/health", response_model=Health, responses=problems())
    async def health(asking: Asking) -> Health:
        """Whether it has caught up, how far it is behind, how much comes, and what it knows."""
        picture = known.picture
        rows = [(key, row) for key, row in picture.rows.items() if asking.sees(key[0])]
        return Health(
            caught_up=following.caught_up.is_set(),
            lag=following.lag,
            labels=picture.labels,
            labels_per_s=rate.per_s,
            skipped=following.skipped,
            machines=len({key[:2] for key, _ in rows}),
            states=dict(Counter(row.state for _, row in rows)),
            open_incidents=sum(case.incident.state != "closed" for case in cases_seen(picture, asking)),
            streams=StreamsOpen(open=readers.count, most=readers.most),
        )

    return router
