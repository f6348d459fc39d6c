"""How late labels are: from a reading's record, by its Kafka timestamp, to the moment at which its label is durable."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.metrics.buckets import Buckets

Ints = npt.NDArray[np.int64]

#: So many runs are kept before they are counted.
_TOGETHER: Final = 64

_TIMESTAMP: Final = attrgetter("timestamp")


def came_ms(records: Sequence[Any]) -> Ints:
    """The Kafka timestamps of a run's records; -1 where there is none."""
    return np.fromiter(map(_TIMESTAMP, records), np.int64, len(records))


class Latency:
    """Counts it, for all readings of some runs at once. Readings without a label, as those held, count with their run."""

    def __init__(self, wall_s: Callable[[], float]) -> None:
        """``wall_s``: seconds since 1970, the clock that producers stamp records with."""
        self._wall_s = wall_s
        self._seconds = Buckets()
        self._kept: list[tuple[float, Ints]] = []  # when each run's labels were durable; counted some at a time

    def durable(self, runs_came_ms: Sequence[Ints]) -> None:
        """Labels of these runs are durable now.

        >>> latency = Latency(lambda: 100.0)
        >>> latency.durable([np.array([99_980, 90_000]), np.array([-1, 100_500])])  # the last by a clock that is ahead
        >>> dict(latency.seconds.cumulative())["0.025"], round(latency.seconds.sum, 3)
        (2.0, 10.02)
        """
        now_ms = self._wall_s() * 1000.0
        self._kept += [(now_ms, came) for came in runs_came_ms]
        if len(self._kept) >= _TOGETHER:
            self._count()

    @property
    def seconds(self) -> Buckets:
        """How often it was how long."""
        self._count()
        return self._seconds

    def _count(self) -> None:
        kept, self._kept = self._kept, []
        if kept:
            came = np.concatenate([some for _, some in kept])
            durable = np.repeat([now_ms for now_ms, _ in kept], [len(some) for _, some in kept])
            took_s = (durable - came)[came >= 0] / 1000.0
            self._seconds.add(np.maximum(took_s, 0.0))
