"""Runs of neighbouring readings, and the longest of them."""

from collections.abc import Iterable

import numpy as np

from models.explore.series import Bools, Ints
from schemas.exploration import Stretch
from schemas.times import moment

#: So many are told; the rest is counted.
MOST_TOLD = 10


def runs(mask: Bools) -> tuple[Ints, Ints]:
    """Where runs of True begin, and where they have ended (the first place after them).

    >>> [ends.tolist() for ends in runs(np.array([True, True, False, True]))]
    [[0, 3], [2, 4]]
    """
    steps = np.diff(np.concatenate(([0], mask.view(np.int8), [0])))
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)


def stretch(time_ms: Ints, start: int, stop: int) -> Stretch:
    """Readings ``start`` up to ``stop`` of ``time_ms``."""
    return Stretch(
        start=moment(int(time_ms[start])), end=moment(int(time_ms[stop - 1])), readings=int(stop) - int(start)
    )


def longest(starts: Ints, stops: Ints, length: Ints) -> Iterable[tuple[int, int]]:
    """The longest runs by ``length``, longest first; of equal ones the earlier."""
    order = np.argsort(-length, kind="stable")[:MOST_TOLD]
    return zip(starts[order].tolist(), stops[order].tolist(), strict=True)
