"""The ways of scoring a run: the forest alone, detectors that learn as they go, or all views together."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.detectors import ONLINE, OnlineDetector
from models.engine.codes import SCORABLE, WARMING
from models.engine.late import Said, Tail, speak_of
from models.engine.refits import training_medians
from models.engine.scoring import Lookups, look_up, speak
from models.engine.state import StackState

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rolled:
    """A run of ``n`` readings after the window: see :func:`models.engine.window.roll`."""

    slot: Ints  # n
    sequence: Ints  # n
    kind: Ints  # n; a scorer turns SCORABLE into WARMING where it cannot score yet
    time_ms: Ints  # n
    median: Floats  # n x k
    held: Ints  # n x k
    own: Floats  # n x k x 2

    def columns(self) -> "Scored":
        """Room for what a scorer finds, all of it missing as yet."""
        n, k = self.median.shape
        return Scored(np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, np.int64), np.full((n, 2), np.nan), k)


@dataclass(slots=True)
class Scored:
    """What a scorer found, in columns."""

    raw: Floats  # n: raw score of the detector for the feature that speaks; NaN where there is none
    surprise: Floats  # n; NaN where unscored
    driver: Ints  # n: index of the feature that speaks
    expected: Floats  # n x 2: what is usual for its median
    features: int
    views: Floats | None = field(default=None)  # n x k x VIEWS: surprise of each view
    together: Floats | None = field(default=None)  # n: surprise of all signals together


class Scorer(Protocol):
    """Scores a run, and brings back after a restart what it knew."""

    def score(self, run: Rolled) -> Scored: ...

    def grow(self, rows: int) -> None:
        """Make room for ``rows`` machines."""
        ...

    def due_checkpoints(self, slots: Ints) -> Ints:
        """Those of ``slots`` whose memory it is time to write."""
        ...

    def checkpoint(self, slot: int) -> tuple[bytes, bytes]:
        """Part and bytes of a record with the memory of a machine. The head, which names it, comes after it."""
        ...

    def restore(self, slot: int, value: bytes) -> None:
        """Put the bytes of a checkpoint back, before the machine's features are known."""
        ...

    def forget(self, slot: int) -> None:
        """A machine came back without a checkpoint: it will be shown everything again."""
        ...

    def resume(self, slot: int) -> int:
        """After how many readings of a restored machine it has to be shown the others again, in order."""
        ...

    def recall(self, run: Rolled) -> None:
        """Learn again: all readings of restored machines since :meth:`resume`, each machine's in order."""
        ...


class _WithoutCheckpoint:
    """For scorers whose knowledge is all in the ring or in models."""

    def __init__(self, state: StackState) -> None:
        self._state = state

    def grow(self, rows: int) -> None:
        pass

    def due_checkpoints(self, slots: Ints) -> Ints:
        return slots[:0]

    def checkpoint(self, slot: int) -> tuple[bytes, bytes]:
        raise NotImplementedError("this detector keeps no checkpoints")

    def restore(self, slot: int, value: bytes) -> None:  # noqa: ARG002
        raise ValueError("this detector keeps no checkpoints; the state was written with another one")

    def forget(self, slot: int) -> None:
        pass

    def resume(self, slot: int) -> int:
        return int(self._state.core[slot]["readings"])

    def recall(self, run: Rolled) -> None:
        pass


def look_up_run(run: Rolled, state: StackState, models: Lookups) -> tuple[Floats, Floats, Floats]:
    """Raw scores and surprises (n x k) and expected bands (n x k x 2) by the models in force; NaN where there is none."""
    shape = run.median.shape
    raw, surprise, expected = np.empty(shape), np.empty(shape), np.empty((*shape, 2))
    look_up(
        run.slot, run.kind, run.median, run.own, state.core, state.model_index, models.edges, models.scores,
        models.surprises, models.start, models.length, models.low, models.high, raw, surprise, expected,
    )  # fmt: skip
    return raw, surprise, expected


class ForestScorer(_WithoutCheckpoint):
    """The isolation forest alone: a model that a trainer fitted to the machine's medians, compiled to a look-up."""

    def __init__(self, state: StackState, lookups: Lookups, least_valid: int, warm_up: int) -> None:
        super().__init__(state)
        self._lookups, self._least_valid, self._warm_up = lookups, least_valid, warm_up

    def score(self, run: Rolled) -> Scored:
        raw, surprise, expected = look_up_run(run, self._state, self._lookups)
        made = run.columns()
        ready = run.sequence >= self._warm_up
        speak(run.kind, run.held, self._least_valid, ready, surprise, made.surprise, made.driver)
        scored = np.flatnonzero(run.kind == SCORABLE)
        made.raw[scored] = raw[scored, made.driver[scored]]
        made.expected[scored] = expected[scored, made.driver[scored]]
        return made

    # -- late readings: it has learnt nothing, so it can be asked again at any time

    def before(self, tail: Tail) -> None:
        pass

    def rescore(self, before: Tail, remembered: None, after: Tail) -> tuple[Said, Said]:  # noqa: ARG002
        return self.stand(before), self.stand(after)

    def stand(self, tail: Tail) -> Said:
        n, k = tail.forest.shape
        said: Said = speak_of(
            tail,
            tail.forest,
            tail.sequence >= self._warm_up,
            self._least_valid,
            np.empty((n, k, 0)),
            np.full(n, np.nan),
        )
        return said

    def make_room(self, slot: int, place: int, newest: int) -> None:
        pass


class OnlineScorer(_WithoutCheckpoint):
    """A River detector for each machine and feature, scoring before learning, one reading after the other."""

    def __init__(self, detector: str, state: StackState, span_ms: int, least_valid: int, warm_up: int) -> None:
        super().__init__(state)
        self._name, self._make = detector, ONLINE[detector]
        self._span_ms, self._least_valid, self._warm_up = span_ms, least_valid, warm_up
        self._detectors: dict[tuple[int, int], OnlineDetector] = {}

    def score(self, run: Rolled) -> Scored:
        made = run.columns()
        for i in np.flatnonzero(run.kind == SCORABLE).tolist():
            self._score_one(i, int(run.slot[i]), run, made)
        return made

    def _score_one(self, i: int, s: int, run: Rolled, made: Scored) -> None:
        core = self._state.core[s]
        ready = bool((run.held[i] >= self._least_valid).all()) and run.sequence[i] >= self._warm_up
        for k, x in enumerate(run.median[i]):
            detector = self._detector(s, k)
            raw = detector.score(float(x))
            surprise = detector.surprise(float(x), raw) if raw is not None else None
            if raw is None or surprise is None:
                ready = False
            elif np.isnan(made.surprise[i]) or surprise > made.surprise[i]:
                made.raw[i], made.surprise[i], made.driver[i] = raw, surprise, k
            detector.learn(float(x))
        core["learned"] += 1
        if not ready:
            run.kind[i] = WARMING
            made.raw[i], made.surprise[i], made.driver[i] = np.nan, np.nan, 0

    def _detector(self, s: int, k: int) -> OnlineDetector:
        found = self._detectors.get((s, k))
        if found is None:
            found = self._detectors[s, k] = OnlineDetector(self._make, name=self._name)
        return found

    def resume(self, slot: int) -> int:
        """Let the detectors of ``slot`` learn again what they had learned: their state depends on nothing but the ring."""
        medians, _, _ = training_medians(self._state, slot, self._span_ms)
        learned = int(self._state.core[slot]["learned"])
        for k in range(self._state.features):
            kept = [float(x) for x in medians[:, k] if x == x]
            self._detectors[slot, k] = OnlineDetector.restore(self._make, kept, learned, name=self._name)
        return super().resume(slot)
