"""Counting how often values were how high, many values at a time."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

#: From a reading to its label, and of calls to the outside, in seconds.
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


class Buckets:
    """Counts of values up to each of ``edges``, and above them.

    >>> some = Buckets((0.1, 1.0))
    >>> some.add(np.array([0.05, 0.1, 0.5, 7.0, np.nan]))
    >>> some.cumulative(), round(some.sum, 2)
    ([('0.1', 2.0), ('1.0', 3.0), ('+Inf', 4.0)], 7.65)
    """

    def __init__(self, edges: Sequence[float] = SECONDS) -> None:
        """``edges`` rise; a value that equals one counts below it."""
        self._edges = np.array(edges)
        self._counts = np.zeros(len(edges) + 1, np.int64)
        self.sum = 0.0

    def add(self, values: npt.NDArray[np.float64]) -> None:
        """Count ``values``; NaN is none."""
        known = values[values == values]
        if len(known):
            self._counts += np.bincount(np.searchsorted(self._edges, known), minlength=len(self._counts))
            self.sum += float(known.sum())

    def add_one(self, value: float) -> None:
        """Count one value."""
        self.add(np.array([value]))

    def cumulative(self) -> list[tuple[str, float]]:
        """Each edge, and how many values were not above it, as Prometheus has it."""
        edges = [*map(str, self._edges.tolist()), "+Inf"]
        return list(zip(edges, np.cumsum(self._counts).astype(float).tolist(), strict=True))
