"""Fewer labels for a chart, and no peak lost. Pure.

Whole labels are kept, none is made up of others: each point that is drawn is one that can be asked about.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

#: A machine that was away for so many of its usual times between two labels has left a gap.
_USUAL_TIMES: Final = 6


def thin(times_ms: Whole, series: Array, states: Whole, from_ms: int, to_ms: int, buckets: int) -> Whole:
    """Places of the labels to be drawn, rising, of labels by time between ``from_ms`` and ``to_ms``.

    ``times_ms``: n; ``series``: n x k, NaN where there is no value; ``states``: n, whole numbers, whatever they mean. Time is
    cut into ``buckets`` that are equally long. Of each bucket remain its first and last label, the least and the largest
    value of each series, and the first label in each state. A stretch that has no more than that is left as it is.
    """
    if not len(times_ms):
        return np.zeros(0, np.int64)
    bucket = (times_ms - from_ms) * buckets // max(1, to_ms - from_ms)
    starts = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
    counts = np.diff(starts, append=len(bucket))
    which = np.repeat(np.arange(len(starts)), counts)
    kept = np.zeros(len(bucket), np.bool_)
    kept[starts] = True
    kept[starts + counts - 1] = True
    for values in series.T:
        for extreme in (np.fmin, np.fmax):
            _mark_first(kept, values == extreme.reduceat(values, starts)[which], which)
    for state in np.unique(states):
        _mark_first(kept, states == state, which)
    return np.flatnonzero(kept)


def _mark_first(kept: npt.NDArray[np.bool_], those: npt.NDArray[Any], which: Whole) -> None:
    """Mark the first of ``those`` in each bucket."""
    places = np.flatnonzero(those)
    if len(places):
        kept[places[np.diff(which[places], prepend=-1) != 0]] = True


def gap_ms(times_ms: Whole) -> int:
    """Longer than this between two labels (by time, n) is a gap, over which no line is to be drawn; 0 where none can be told.

    >>> gap_ms(np.array([0, 1000, 2000, 3000, 90_000, 91_000]))
    6000
    """
    if len(times_ms) < 3:
        return 0
    return int(np.median(np.diff(times_ms))) * _USUAL_TIMES


def gaps(times_ms: Whole, longest_ms: int) -> npt.NDArray[np.bool_]:
    """Before which labels (by time, n) there is a gap longer than ``longest_ms``; never before the first."""
    return np.diff(times_ms, prepend=times_ms[:1]) > longest_ms
