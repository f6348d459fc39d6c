"""The ways of judging a run: by the forest alone, by detectors that learn as they go, or by all views together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.detectors import ONLINE, OnlineDetector
from models.engine.bundle import Bundle, Bundled
from models.engine.codes import ONLINE as ONLINE_RUNG
from models.engine.codes import SCORABLE, WARMING
from models.engine.late import Said, Tail, speak_of
from models.engine.lookups import Lookups
from models.engine.refits import training_medians
from models.engine.state import StackState
from models.engine.steps import decide, judge_by_forest, roll_on
from models.engine.verdicts import Findings, Verdicts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rolled:
    """``n`` readings after the window: see :func:`models.engine.window.roll`."""

    slot: Ints  # n
    sequence: Ints  # n
    kind: Ints  # n
    time_ms: Ints  # n
    median: Floats  # n x k
    own: Floats  # n x k x 2


@dataclass(slots=True)
class Part:
    """Some readings of a run, all of which the intake has taken in order, and what is needed to judge them."""

    fixed: Bundle  # models.engine.rules
    state: Bundle
    slot: Ints  # n, of the whole run
    offset: Ints  # n
    feature: Floats  # k of each reading of the part
    found: Verdicts  # of the whole run
    first: int  # the part's readings
    stop: int


class Scorer(Protocol):
    """Judges a run, and brings back after a restart what it knew."""

    view_count: int  # surprises it gives of each feature
    weights: Floats  # view_count: what each counts
    rules: Mapping[str, float]  # its own numbers among models.engine.rules

    def judge(self, part: Part) -> None:
        """The steps behind the feature, into ``part.found``."""
        ...

    def grow(self, rows: int) -> None:
        """Make room for ``rows`` machines."""
        ...

    def keep(self, kept: Ints) -> None:
        """Give up all machines but those in the slots ``kept``, which become the first ones in this order."""
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

    def keep(self, kept: Ints) -> None:
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


class ForestScorer(_WithoutCheckpoint):
    """The isolation forest alone: a model that a trainer fitted to the machine's medians, compiled to a look-up."""

    view_count = 0

    def __init__(self, state: StackState, lookups: Lookups, least_valid: int, warm_up: int) -> None:
        super().__init__(state)
        self._models = Bundled(lookups, "edges", "start")
        self._least_valid, self._warm_up = least_valid, warm_up
        self.weights = np.empty(0)
        self.rules: Mapping[str, float] = {"least_valid": least_valid, "warm_up": warm_up}

    def judge(self, part: Part) -> None:
        judge_by_forest(
            part.fixed, part.state, self._models.now(), part.slot, part.offset, part.feature, part.found.ints,
            part.found.floats, part.first, part.stop,
        )  # fmt: skip

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

    view_count = 0

    def __init__(self, detector: str, state: StackState, span_ms: int, least_valid: int, warm_up: int) -> None:
        super().__init__(state)
        self._name, self._make = detector, ONLINE[detector]
        self._span_ms, self._least_valid, self._warm_up = span_ms, least_valid, warm_up
        self._detectors: dict[tuple[int, int], OnlineDetector] = {}
        self.weights = np.empty(0)
        self.rules: Mapping[str, float] = {}

    def judge(self, part: Part) -> None:
        found, first, stop = part.found, part.first, part.stop
        blocks = found.ints, found.floats
        held = roll_on(part.fixed, part.state, part.slot, part.feature, *blocks, first, stop)
        columns = found.columns
        columns.raw[first:stop] = columns.surprise[first:stop] = columns.together[first:stop] = np.nan
        columns.expected[first:stop] = np.nan
        columns.driver[first:stop] = 0
        for i in (first + np.flatnonzero(found.kind[first:stop] == SCORABLE)).tolist():
            enough = bool((held[i - first] >= self._least_valid).all())
            self._score_one(i, int(part.slot[i]), columns, ready=enough and columns.sequence[i] >= self._warm_up)
        decide(part.fixed, part.state, part.slot, part.offset, *blocks, first, stop)
        columns.rung[first:stop] = ONLINE_RUNG

    def _score_one(self, i: int, s: int, found: Findings, *, ready: bool) -> None:
        for k, x in enumerate(found.median[i]):
            detector = self._detector(s, k)
            raw = detector.score(float(x))
            surprise = detector.surprise(float(x), raw) if raw is not None else None
            if raw is None or surprise is None:
                ready = False
            elif np.isnan(found.surprise[i]) or surprise > found.surprise[i]:
                found.raw[i], found.surprise[i], found.driver[i] = raw, surprise, k
            detector.learn(float(x))
        self._state.core["learned"][s] += 1
        if not ready:
            found.kind[i] = WARMING
            found.raw[i], found.surprise[i], found.driver[i] = np.nan, np.nan, 0

    def _detector(self, s: int, k: int) -> OnlineDetector:
        found = self._detectors.get((s, k))
        if found is None:
            found = self._detectors[s, k] = OnlineDetector(self._make, name=self._name)
        return found

    def keep(self, kept: Ints) -> None:
        moved = {old: new for new, old in enumerate(kept.tolist())}
        self._detectors = {(moved[s], k): one for (s, k), one in self._detectors.items() if s in moved}

    def resume(self, slot: int) -> int:
        """Let the detectors of ``slot`` learn again what they had learned: their state depends on nothing but the ring."""
        medians, _ = training_medians(self._state, slot, self._span_ms)
        learned = int(self._state.core[slot]["learned"])
        for k in range(self._state.features):
            kept = [float(x) for x in medians[:, k] if x == x]
            self._detectors[slot, k] = OnlineDetector.restore(self._make, kept, learned, name=self._name)
        return super().resume(slot)
