"""How a signal's values lie."""

from typing import Final

import numpy as np

from models.explore.series import Floats
from schemas.exploration import Distribution, Histogram

_BINS: Final = 40
#: Smaller differences come from a subtraction or a change of unit.
_ROUNDING: Final = 1e-9
#: What lies beyond these quantiles would squeeze all the rest into a bar.
_SHOWN: Final = (0.002, 0.998)


def distribution(values: Floats) -> Distribution | None:
    """Of ``values`` (n, NaN left out); None if there is none.

    >>> made = distribution(np.arange(101.0))
    >>> made.median, made.p95, made.distinct, made.step, sum(made.histogram.counts)
    (50.0, 95.0, 101, 1.0, 99)
    """
    there = np.sort(values[~np.isnan(values)])
    if not len(there):
        return None
    p = np.quantile(there, (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)).tolist()
    spread, mean = float(there.std()), float(there.mean())
    moves = there[-1] > there[0]
    return Distribution(
        mean=mean,
        standard_deviation=spread,
        minimum=float(there[0]),
        p1=p[0],
        p5=p[1],
        p25=p[2],
        median=p[3],
        p75=p[4],
        p95=p[5],
        p99=p[6],
        maximum=float(there[-1]),
        distinct=int((np.diff(there) > 0).sum()) + 1,
        step=_step(there),
        zero_share=float((there == 0).mean()),
        skewness=float((((there - mean) / spread) ** 3).mean()) if moves and spread > 0 else None,
        histogram=_histogram(there),
    )


def _step(there: Floats) -> float:
    """The smallest difference between two of the sorted values that is no rounding; 0 if they are all the same."""
    steps = np.diff(there)
    steps = steps[steps > _ROUNDING * max(1.0, float(np.abs(there).max()))]
    return float(steps.min()) if len(steps) else 0.0


def _histogram(there: Floats) -> Histogram:
    low, high = np.quantile(there, _SHOWN).tolist()
    if high - low <= _ROUNDING * max(1.0, abs(low), abs(high)):
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(there, bins=_BINS, range=(low, high))
    return Histogram(
        edges=edges.tolist(),
        counts=counts.tolist(),
        below=int((there < low).sum()),
        above=int((there > high).sum()),
    )
