"""Isolation forest on one feature, compiled to a look-up.

A tree of the forest only ever asks "is x <= threshold?". With one feature, all thresholds of all trees cut the line
into intervals, and inside one of them every tree answers the same: the score is constant there. So it is computed once
in each interval, and looked up afterwards: a binary search instead of 100 trees, the same number to the last bit.

Source of the score: Liu, Ting, Zhou, "Isolation Forest", 2008, equation 2, as in scikit-learn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sklearn.ensemble import IsolationForest

Array = npt.NDArray[np.float64]
Edges = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class IntervalLookup:
    """Interval ``i`` holds ``edges[i-1] < float32(x) <= edges[i]``; the last one has no upper end."""

    edges: Edges  # n - 1, rising
    scores: Array  # n

    def score(self, x: float) -> float:
        """Raw score of ``x`` (any number but NaN), in (0, 1], higher is more anomalous."""
        return float(self.scores[np.searchsorted(self.edges, to_float32(x))])

    def score_all(self, x: npt.ArrayLike) -> Array:
        """Raw score of each of ``x``."""
        made: Array = self.scores[np.searchsorted(self.edges, to_float32(x))]
        return made

    def rounded(self, digits: int) -> "IntervalLookup":
        """Scores rounded to ``digits`` after the point; neighbours that are equal then become one interval."""
        scores = np.round(self.scores, digits)
        kept = np.flatnonzero(np.diff(scores))
        return IntervalLookup(self.edges[kept], np.append(scores[kept], scores[-1]))


def to_float32(x: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """``x`` as scikit-learn's trees see it. What is too large becomes infinite, without a warning."""
    with np.errstate(over="ignore"):
        return np.asarray(x, dtype=np.float64).astype(np.float32)


def fit_forest(values: Sequence[float] | Array, trees: int, samples_per_tree: int, seed: int) -> "IsolationForest":
    """A forest of ``trees`` fitted to ``values``: at least one, finite also in float32. Same seed, same forest."""
    from sklearn.ensemble import IsolationForest  # takes two seconds to import, and those who only look up need it not

    column = to_float32(values).reshape(-1, 1)
    forest = IsolationForest(
        n_estimators=trees, max_samples=min(samples_per_tree, len(column)), random_state=seed % 2**32, n_jobs=1
    )
    forest.fit(column)
    return forest


def compile_forest(forest: "IsolationForest") -> IntervalLookup:
    """The same scores as ``-forest.score_samples``, to the last bit, for every number. Not rounded."""
    edges = _edges(forest)
    # The upper end of each interval lies in it; infinity lies in the last one.
    inside = np.append(edges, np.float32(math.inf)).reshape(-1, 1)
    return IntervalLookup(edges, -forest.score_samples(inside))


def _edges(forest: "IsolationForest") -> Edges:
    """All thresholds, each as the largest float32 not above it: for a float32 ``x`` the question is the same."""
    found: list[Array] = []
    for estimator in forest.estimators_:
        tree = estimator.tree_
        found.append(tree.threshold[tree.children_left != -1])  # leaves have no threshold
    thresholds = np.unique(np.concatenate(found))
    edges = thresholds.astype(np.float32)
    above = edges.astype(np.float64) > thresholds
    edges[above] = np.nextafter(edges[above], np.float32(-math.inf))
    return np.unique(edges)
