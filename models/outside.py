"""How surprising a value is that lies outside of everything seen so far.

A forest cannot tell "a little outside" from "far outside": all its thresholds lie between the values it was fitted to,
and half-space trees are no different. So outside, surprise follows from how far out a value lies, by a tail fitted to
either end of the values.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.calibration import LARGEST_SURPRISE, Tail
from models.forest import Edges, to_float32
from models.spreads import robust_spread, spread_floor

Array = npt.NDArray[np.float64]

#: On either side, surprise rises in so many steps.
_STEPS: Final = 16
#: A tail is never steeper than a normal distribution's, whose excesses over the 90 % quantile average 0.47 of its
#: standard deviation. Medians of overlapping windows move slowly, so a history shows less of its tails.
_LEAST_TAIL_SPREADS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Outside:
    """Interval ``i`` holds ``edges[i-1] < float32(x) <= edges[i]``; in the one with the values seen, surprise is 0."""

    edges: Edges  # n, rising
    surprises: Array  # n + 1: falling towards the values seen, rising again beyond them

    @classmethod
    def fit(cls, values: Array) -> "Outside":
        """From ``values`` (finite also in float32, at least one)."""
        above, surprises_above = _steps_above(values)
        below, surprises_below = _steps_above(-values)
        return cls(
            np.concatenate((-below[::-1], above)), np.concatenate((surprises_below[::-1], [0.0], surprises_above))
        )

    def surprise(self, x: npt.ArrayLike) -> Array:
        """Surprise of each of ``x``, 0 inside; never falls on the way out."""
        made: Array = self.surprises[np.searchsorted(self.edges, to_float32(x))]
        return made


def _steps_above(values: Array) -> tuple[Edges, Array]:
    """Edges above the highest of ``values``, rising, and the surprise just beyond each: never overstated."""
    tail = Tail.fit(values, least_scale=max(_LEAST_TAIL_SPREADS * robust_spread(values), spread_floor(values)))
    highest = float(values.max())
    # The highest was seen once in n, whatever the tail says of it: from there outwards the tail goes on.
    seen = min(tail.surprise(highest), math.log10((1 + len(values)) / 2))
    levels = np.linspace(seen, LARGEST_SURPRISE, _STEPS + 1)[1:]
    start = tail.score_at(seen)
    edges = to_float32([highest + (tail.score_at(float(level)) - start) for level in levels])
    with np.errstate(invalid="ignore"):  # two that are infinite in float32 have no difference
        usable = np.isfinite(edges) & (np.diff(edges, prepend=to_float32(highest)) > 0)
    return edges[usable], levels[usable]
