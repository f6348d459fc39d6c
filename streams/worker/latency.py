"""How late labels are: from a reading's record, by its Kafka timestamp, to the moment at which its label is durable."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.metrics.buckets import Buckets

Ints = npt.NDArray[np.int64]

_TIMESTAMP: Final = attrgetter("timestamp")


def came_ms(records: Sequence[Any]) -> Ints:
    """The Kafka timestamps of a run's records; -1 where there is none."""
    return np.fromiter(map(_TIMESTAMP, records), np.int64, len(records))


class Latency:
    """Counts it, for all readings of some runs at once. Readings without a label, as those held, count with their run."""

    def __init__(self, wall_s: Callable[[], float]) -> None:
        """``wall_s``: seconds since 1970, the clock that producers stamp records with."""
        self._wall_s = wall_s
        self.seconds = Buckets()

    def durable(self, runs_came_ms: Sequence[Ints]) -> None:
        """Labels of these runs are durable now.

        >>> latency = Latency(lambda: 100.0)
        >>> latency.durable([np.array([99_980, 90_000]), np.array([-1, 100_500])])  # the last by a clock that is ahead
        >>> dict(latency.seconds.cumulative())["0.025"], round(latency.seconds.sum, 3)
        (2.0, 10.02)
        """
        if runs_came_ms:
            came = np.concatenate(runs_came_ms)
            took_s = self._wall_s() - came[came >= 0] / 1000.0
            self.seconds.add(np.maximum(took_s, 0.0))
