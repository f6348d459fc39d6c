"""The isolation forest that a trainer fitted, as a detector."""

import math

import numpy as np

from models.forest import to_float32
from schemas.training import FeatureModel


class ForestDetector:
    """Looks scores up in a compiled forest. Never cold, and learns nothing: the trainer makes a new one."""

    name = "isolation_forest"

    def __init__(self, model: FeatureModel) -> None:
        self._edges = to_float32(model.edges)
        self._scores = np.asarray(model.scores)
        self._surprises = np.asarray(model.surprises)

    def score(self, x: float) -> float | None:
        """Raw score in (0, 1]."""
        return None if math.isnan(x) else float(self._scores[self._interval(x)])

    def surprise(self, x: float, score: float) -> float:  # noqa: ARG002 - the interval knows more than its score
        """Surprise of the value ``x``, which goes on rising outside of what was seen."""
        return float(self._surprises[self._interval(x)])

    def learn(self, x: float) -> None:
        """Nothing."""

    def _interval(self, x: float) -> int:
        return int(np.searchsorted(self._edges, to_float32(x)))
