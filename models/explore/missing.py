"""Where a signal has no usable value though the machine was read."""

from collections.abc import Mapping

import numpy as np

from models.explore.series import Floats, Ints
from models.explore.stretches import longest, runs, stretch
from schemas.exploration import Missing


def missing(time_ms: Ints, values: Floats, unusable: Mapping[str, int]) -> Missing:
    """Of one signal's ``values`` (n); ``unusable`` says what was there and is NaN now.

    >>> made = missing(np.arange(4) * 1000, np.array([1.0, np.nan, np.nan, 2.0]), {"9999": 1})
    >>> made.count, made.share, made.by_cause, made.longest[0].readings
    (2, 0.5, {'empty': 1, '9999': 1}, 2)
    """
    gone = np.isnan(values)
    count = int(gone.sum())
    empty = max(0, count - sum(unusable.values()))
    starts, stops = runs(gone)
    return Missing(
        count=count,
        share=count / len(values),
        by_cause=({"empty": empty} if empty else {}) | dict(unusable),
        longest=[stretch(time_ms, start, stop) for start, stop in longest(starts, stops, stops - starts)],
    )
