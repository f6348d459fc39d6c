"""Scores become surprises: -log10 of how often a healthy machine gives a score this high.

Up to the 90 % quantile the frequency is counted. Above it a tail is fitted, because 200 scores cannot show what happens
once in 100,000: a generalised Pareto distribution, the limit of all tails above a high threshold (Pickands 1975).
"""

import math
from dataclasses import dataclass
from typing import Final, overload

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: No surprise is larger: nobody has seen enough of a machine to speak of less than one in a million.
LARGEST_SURPRISE: Final = 6.0
#: The highest tenth of the scores makes the tail.
_TAIL_SHARE: Final = 0.1
#: Fewer scores above the threshold cannot show a shape: an exponential tail is taken.
_ENOUGH_FOR_SHAPE: Final = 30
#: 0 is an exponential tail, 0.5 a heavy one. Below 0 a tail ends somewhere: a short history must never claim that more
#: is impossible.
_SHAPE_RANGE: Final = (0.0, 0.5)
#: A tail falls to 1/e over at least this share of the threshold, whatever the scores were.
_LEAST_RELATIVE_SCALE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Tail:
    """How rare a score is. Make one with :meth:`fit`.

    Up to ``threshold`` the scores ``seen`` are counted, above it the tail goes on from there.
    """

    seen: Array  # rising; the tail is made from those that are not among them
    count: int  # of all scores fitted to
    threshold: float
    scale: float
    shape: float

    @classmethod
    def fit(cls, scores: npt.ArrayLike, least_scale: float = 0.0) -> "Tail":
        """A tail fitted to ``scores``: any shape, higher is more anomalous, what is not finite is left out.

        ``least_scale``: the smallest difference of scores that means anything; the tail is never steeper than that.
        Raises ``ValueError`` if no score is finite.
        """
        values = np.asarray(scores, dtype=np.float64).ravel()
        values = np.sort(values[np.isfinite(values)])
        n = len(values)
        if n == 0:
            raise ValueError("a tail needs at least one finite score")
        threshold = float(values[n - 1 - math.ceil(_TAIL_SHARE * (n - 1))])
        above = values[values > threshold] - threshold
        floor = max(least_scale, _LEAST_RELATIVE_SCALE * max(1.0, abs(threshold)))
        if len(above) == 0:
            # A tenth or more share the highest score. Start from how often that one is seen, so that a hair more than
            # it is not suddenly rare.
            return cls(values[values < threshold], n, threshold, floor, 0.0)
        scale, shape = _fit_excesses(above, floor)
        return cls(values[values <= threshold], n, threshold, scale, shape)

    @overload
    def surprise(self, score: float) -> float: ...
    @overload
    def surprise(self, score: Array) -> Array: ...
    def surprise(self, score: float | Array) -> float | Array:
        """Surprise of ``score`` (not NaN): 0 for the lowest ever seen, at most :data:`LARGEST_SURPRISE`.

        Never falls where the score rises. Same shape as ``score``.
        """
        scores = np.asarray(score, dtype=np.float64)
        at_least = self.count - np.searchsorted(self.seen, scores, side="left")
        counted = -np.log10((1 + at_least) / (1 + self.count))
        made = np.clip(counted + self._beyond(scores), 0.0, LARGEST_SURPRISE) + 0.0  # no -0.0
        return float(made) if made.ndim == 0 else made

    def score_at(self, surprise: float) -> float:
        """The score above the threshold whose surprise this is; the threshold for any surprise it already has."""
        share_above = (1 + self.count - len(self.seen)) / (1 + self.count)
        rarer = (surprise + math.log10(share_above)) * math.log(10.0)
        if rarer <= 0.0:
            return self.threshold
        excess = rarer if self.shape == 0.0 else math.expm1(self.shape * rarer) / self.shape
        return self.threshold + self.scale * excess

    def _beyond(self, scores: Array) -> Array:
        """What the tail adds above the threshold; 0 up to it."""
        excess = np.maximum(scores - self.threshold, 0.0) / self.scale
        rarer = excess if self.shape == 0.0 else np.log1p(self.shape * excess) / self.shape
        added: Array = rarer / math.log(10.0)
        return added


def _fit_excesses(excess: Array, floor: float) -> tuple[float, float]:
    """Scale and shape of a generalised Pareto distribution of ``excess`` (rising, all above 0).

    With few: exponential by their median, which one wild value cannot move. Otherwise probability-weighted moments
    (Hosking and Wallis 1987, section 3), the shape kept in a careful range and the scale such that the mean stays.
    """
    if len(excess) < _ENOUGH_FOR_SHAPE:
        return max(float(np.median(excess)) / math.log(2.0), floor), 0.0
    n = len(excess)
    mean = float(excess.mean())
    weighted = float((excess * (n - 1 - np.arange(n))).sum()) / (n * (n - 1))
    spread = mean - 2.0 * weighted
    shape = 2.0 - mean / spread if spread > 0.0 else _SHAPE_RANGE[0]
    shape = min(max(shape, _SHAPE_RANGE[0]), _SHAPE_RANGE[1])
    return max(mean * (1.0 - shape), floor), shape
