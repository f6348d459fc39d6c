"""The surprise of each median, looked up in the model in force, and which feature speaks for the reading."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np

from models.engine.codes import FLEET, SCORABLE, WARMING
from models.engine.compiled import compiled


class _OfFeature(Protocol):
    @property
    def edges(self) -> Sequence[float]: ...
    @property
    def scores(self) -> Sequence[float]: ...
    @property
    def surprises(self) -> Sequence[float]: ...
    @property
    def expected_low(self) -> float: ...
    @property
    def expected_high(self) -> float: ...


class LookUp(Protocol):
    """A model as far as scoring goes."""

    @property
    def digest(self) -> str: ...
    @property
    def features(self) -> Sequence[_OfFeature]: ...


#: Models that are added before one looks again which are in use: it takes longer than adding one.
_LOOK_EVERY: Final = 64


class Lookups:
    """All compiled models of a partition, end to end in a few arrays. A model has ``k`` features.

    Models that nobody uses any more are dropped when they make up half of the room.
    """

    def __init__(self, features: int) -> None:
        self._features = features
        self._by_digest: dict[str, int] = {}
        self.digests: list[str] = []
        self.edges = np.empty(0, np.float32)
        self.scores = np.empty(0)
        self.surprises = np.empty(0)
        self.start = np.empty((0, features), np.int64)
        self.length = np.empty((0, features), np.int64)  # intervals
        self.low = np.empty((0, features))
        self.high = np.empty((0, features))
        self._used = 0
        self._next_look = 0  # so many models are to be here before it is asked again which are in use

    def index(self, digest: str) -> int | None:
        """Where the model with this digest is, None if it is not here."""
        return self._by_digest.get(digest)

    def add(self, update: LookUp) -> int:
        """Put a model in, once; its index."""
        known = self._by_digest.get(update.digest)
        if known is not None:
            return known
        if len(update.features) != self._features:
            raise ValueError(f"model {update.digest} has {len(update.features)} features, the stack {self._features}")
        index = len(self.digests)
        self._make_rows(index + 1)
        for k, model in enumerate(update.features):
            n = len(model.scores)
            if len(model.edges) != n - 1 or len(model.surprises) != n:
                raise ValueError(f"model {update.digest}: feature {k} has edges and scores that do not fit")
            self._make_room(self._used + n)
            start = self._used
            self.edges[start : start + n - 1] = model.edges
            self.edges[start + n - 1] = np.inf
            self.scores[start : start + n] = model.scores
            self.surprises[start : start + n] = model.surprises
            self._used += n
            self.start[index, k], self.length[index, k] = start, n
            self.low[index, k], self.high[index, k] = model.expected_low, model.expected_high
        self.digests.append(update.digest)
        self._by_digest[update.digest] = index
        return index

    def drop_unused(self, in_use: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
        """Forget all models but those in ``in_use`` (indices) if that frees half; the new index of each old one."""
        if self._used < 100_000 or len(self.digests) < self._next_look:
            return None
        keep = np.unique(in_use[in_use >= 0])
        kept = int(self.length[keep].sum()) if len(keep) else 0
        if kept * 2 > self._used:
            self._next_look = len(self.digests) + _LOOK_EVERY
            return None
        old = Lookups.__new__(Lookups)
        old.__dict__.update(self.__dict__)
        Lookups.__init__(self, self._features)
        moved = np.full(len(old.digests), -1, np.int64)
        for index in keep:
            moved[index] = self._copy(old, int(index))
        return moved

    def _copy(self, old: "Lookups", index: int) -> int:
        new = len(self.digests)
        self._make_rows(new + 1)
        for k in range(self._features):
            start, n = int(old.start[index, k]), int(old.length[index, k])
            self._make_room(self._used + n)
            for name in ("edges", "scores", "surprises"):
                getattr(self, name)[self._used : self._used + n] = getattr(old, name)[start : start + n]
            self.start[new, k], self.length[new, k] = self._used, n
            self._used += n
        self.low[new], self.high[new] = old.low[index], old.high[index]
        self.digests.append(old.digests[index])
        self._by_digest[old.digests[index]] = new
        return new

    def _make_room(self, size: int) -> None:
        if size > len(self.edges):
            room = max(size, 2 * len(self.edges), 1024)
            for name in ("edges", "scores", "surprises"):
                column = getattr(self, name)
                grown = np.zeros(room, column.dtype)
                grown[: len(column)] = column
                setattr(self, name, grown)

    def _make_rows(self, rows: int) -> None:
        have = len(self.start)
        if rows <= have:
            return
        for name in ("start", "length", "low", "high"):
            column = getattr(self, name)
            grown = np.zeros((max(rows, 2 * have, 16), self._features), column.dtype)
            grown[:have] = column
            setattr(self, name, grown)


@compiled
def _interval(edges: Any, start: int, length: int, value: float) -> int:
    """The interval holding ``float32(value)``: the first whose upper end is not below it."""
    x = np.float32(value)
    low, high = start, start + length - 1
    while low < high:
        half = (low + high) // 2
        if edges[half] < x:
            low = half + 1
        else:
            high = half
    return low


@compiled
def look_up(
    slot: Any,  # n
    kind: Any,  # n
    median: Any,  # n x k
    own: Any,  # n x k x 2: the machine's reference and spread
    core: Any,
    model_index: Any,
    edges: Any,
    scores: Any,
    surprises: Any,
    start: Any,
    length: Any,
    low: Any,
    high: Any,
    raw: Any,  # n x k, out: raw score; NaN where no model can score
    surprise: Any,  # n x k, out
    expected: Any,  # n x k x 2, out: what is usual
) -> None:
    """Look up raw score and surprise of each feature's median in the machine's model, if it has one that it can use."""
    features = median.shape[1]
    for i in range(slot.shape[0]):
        s = slot[i]
        m = model_index[s]
        fleet = core[s].rung == FLEET
        for k in range(features):
            raw[i, k] = np.nan
            surprise[i, k] = np.nan
            expected[i, k, 0] = np.nan
            expected[i, k, 1] = np.nan
            x = median[i, k]
            centre, scale = 0.0, 1.0
            if fleet:
                centre, scale = own[i, k, 0], own[i, k, 1]
                x = (x - centre) / scale
            if kind[i] != SCORABLE or m < 0 or x != x:
                continue
            at = _interval(edges, start[m, k], length[m, k], x)
            surprise[i, k] = surprises[at]
            raw[i, k] = scores[at]
            expected[i, k, 0] = low[m, k] * scale + centre
            expected[i, k, 1] = high[m, k] * scale + centre


@compiled
def speak(
    kind: Any,  # n: SCORABLE becomes WARMING where a feature cannot be scored yet
    held: Any,  # n x k: values in the window
    least_valid: int,
    ready: Any,  # n: whether there is enough to go by
    of_feature: Any,  # n x k: surprise; NaN where there is none
    surprise: Any,  # n, out
    driver: Any,  # n, out: index of the feature that speaks
) -> None:
    """Of several features the most surprising one speaks for the reading."""
    for i in range(kind.shape[0]):
        surprise[i] = np.nan
        driver[i] = 0
        if kind[i] != SCORABLE:
            continue
        can = ready[i]
        for k in range(of_feature.shape[1]):
            if held[i, k] < least_valid or of_feature[i, k] != of_feature[i, k]:
                can = False
        if not can:
            kind[i] = WARMING
            continue
        for k in range(of_feature.shape[1]):
            if k == 0 or of_feature[i, k] > surprise[i]:
                surprise[i] = of_feature[i, k]
                driver[i] = k


@compiled
def pick(
    kind: Any,  # n
    driver: Any,  # n
    raw_of: Any,  # n x k
    expected_of: Any,  # n x k x 2
    together: Any,  # n: surprise of all signals together; NaN where there is none
    raw: Any,  # n, out; NaN where nothing was scored
    expected: Any,  # n x 2, out
    surprise: Any,  # n: at least that of all signals together
) -> None:
    """What is told of a reading besides its surprise is told of the feature that speaks."""
    for i in range(kind.shape[0]):
        raw[i] = np.nan
        expected[i, 0] = np.nan
        expected[i, 1] = np.nan
        if kind[i] == SCORABLE:
            raw[i] = raw_of[i, driver[i]]
            expected[i, 0] = expected_of[i, driver[i], 0]
            expected[i, 1] = expected_of[i, driver[i], 1]
            if together[i] > surprise[i]:
                surprise[i] = together[i]
