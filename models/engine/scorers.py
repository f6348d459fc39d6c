"""The two ways of scoring a run: look-ups of models that a trainer made, or detectors that learn as they go."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.detectors import ONLINE, OnlineDetector
from models.engine.codes import SCORABLE, WARMING
from models.engine.refits import training_medians
from models.engine.scoring import Lookups, score
from models.engine.state import StackState


@dataclass(frozen=True, slots=True)
class Rolled:
    """What the window step says of a run: see :func:`models.engine.window.roll`."""

    median: npt.NDArray[np.float64]  # n x k
    held: npt.NDArray[np.int64]  # n x k
    own: npt.NDArray[np.float64]  # n x k x 2


class Scorer(Protocol):
    """Fills the score columns of a run."""

    def score(
        self, slot: Any, kind: Any, rolled: Rolled, raw: Any, surprise: Any, driver: Any, expected: Any
    ) -> None: ...

    def restore(self, slot: int) -> None:
        """Build again what is not stored of machine ``slot``."""
        ...


class LookupScorer:
    """Models fitted elsewhere, compiled to look-ups."""

    def __init__(self, state: StackState, lookups: Lookups, least_valid: int) -> None:
        self._state, self._lookups, self._least_valid = state, lookups, least_valid

    def score(self, slot: Any, kind: Any, rolled: Rolled, raw: Any, surprise: Any, driver: Any, expected: Any) -> None:
        state, models = self._state, self._lookups
        score(
            slot, kind, rolled.median, rolled.held, rolled.own, self._least_valid, state.core, state.model_index,
            models.edges, models.scores, models.surprises, models.start, models.length, models.low, models.high,
            raw, surprise, driver, expected,
        )  # fmt: skip

    def restore(self, slot: int) -> None:
        """Nothing: a look-up has no state of its own."""


class OnlineScorer:
    """A River detector for each machine and feature, scoring before learning, one reading after the other."""

    def __init__(self, detector: str, state: StackState, span_ms: int, least_valid: int) -> None:
        self._name, self._make = detector, ONLINE[detector]
        self._state, self._span_ms, self._least_valid = state, span_ms, least_valid
        self._detectors: dict[tuple[int, int], OnlineDetector] = {}

    def score(self, slot: Any, kind: Any, rolled: Rolled, raw: Any, surprise: Any, driver: Any, expected: Any) -> None:
        raw[:], surprise[:], driver[:], expected[:] = np.nan, np.nan, 0, np.nan
        for i in range(len(slot)):
            if kind[i] == SCORABLE:
                self._score_one(i, int(slot[i]), kind, rolled, raw, surprise, driver)

    def _score_one(self, i: int, s: int, kind: Any, rolled: Rolled, raw: Any, surprise: Any, driver: Any) -> None:
        core = self._state.core[s]
        ready = bool((rolled.held[i] >= self._least_valid).all())
        for k, x in enumerate(rolled.median[i]):
            detector = self._detector(s, k)
            made = detector.score(float(x))
            surprised = detector.surprise(float(x), made) if made is not None else None
            if made is None or surprised is None:
                ready = False
            elif np.isnan(surprise[i]) or surprised > surprise[i]:
                raw[i], surprise[i], driver[i] = made, surprised, k
            detector.learn(float(x))
        core["learned"] += 1
        if not ready:
            kind[i] = WARMING
            raw[i], surprise[i], driver[i] = np.nan, np.nan, 0

    def _detector(self, s: int, k: int) -> OnlineDetector:
        found = self._detectors.get((s, k))
        if found is None:
            found = self._detectors[s, k] = OnlineDetector(self._make, name=self._name)
        return found

    def restore(self, slot: int) -> None:
        """Let the detectors of ``slot`` learn again what they had learned: their state depends on nothing else."""
        medians, _, _ = training_medians(self._state, slot, self._span_ms)
        learned = int(self._state.core[slot]["learned"])
        for k in range(self._state.features):
            kept = [float(x) for x in medians[:, k] if x == x]
            self._detectors[slot, k] = OnlineDetector.restore(self._make, kept, learned, name=self._name)
