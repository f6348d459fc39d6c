"""All compiled models of a stack, end to end in a few arrays, as :mod:`scoring` looks them up.

A fleet is refit model by model, for ever. What a replaced model leaves is given to the next one of its size, so that nothing
has to be moved while readings wait: moving five thousand models takes a tenth of a second.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt


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


#: Models that are added before one looks which are in use: that takes as long as adding a few.
_LOOK_EVERY: Final = 64
#: Room is given out in such pieces, so that models of about the same size can follow one another.
_PIECE: Final = 64
#: Of less room it is never worth it to move models together.
_SMALL: Final = 100_000


class Lookups:
    """Models with ``k`` features, each in a row of its own; rows and room of those that nobody uses go to later ones."""

    def __init__(self, features: int) -> None:
        self._features = features
        self._by_digest: dict[str, int] = {}
        self.digests: list[str] = []
        self.edges = np.empty(0, np.float32)
        self.scores = np.empty(0)
        self.surprises = np.empty(0)
        self.start = np.empty((0, features), np.int64)
        self.length = np.empty((0, features), np.int64)  # intervals; 0 in a free row
        self.low = np.empty((0, features))
        self.high = np.empty((0, features))
        self._end = 0  # of the room that was ever given out
        self._free_rows: list[int] = []
        self._free_room: dict[int, list[int]] = {}  # where there is some, by its size
        self._added = 0  # since somebody looked which are in use

    def index(self, digest: str) -> int | None:
        """The row of the model with this digest, None if it is not here."""
        return self._by_digest.get(digest)

    def add(self, update: LookUp) -> int:
        """Put a model in, once; its row. Raises ValueError, and changes nothing, if it is not whole."""
        known = self._by_digest.get(update.digest)
        if known is not None:
            return known
        if len(update.features) != self._features:
            raise ValueError(f"model {update.digest} has {len(update.features)} features, the stack {self._features}")
        for k, model in enumerate(update.features):
            n = len(model.scores)
            if len(model.edges) != n - 1 or len(model.surprises) != n:
                raise ValueError(f"model {update.digest}: feature {k} has edges and scores that do not fit")
        row = self._take_row(update.digest)
        for k, model in enumerate(update.features):
            n = len(model.scores)
            start = self._take_room(n)
            self.edges[start : start + n - 1] = model.edges
            self.edges[start + n - 1] = np.inf
            self.scores[start : start + n] = model.scores
            self.surprises[start : start + n] = model.surprises
            self.start[row, k], self.length[row, k] = start, n
            self.low[row, k], self.high[row, k] = model.expected_low, model.expected_high
        self._added += 1
        return row

    def drop_unused(self, in_use: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
        """Forget models that are not in ``in_use`` (rows), now and then.

        Where most room is free then, those that stay are moved together: the new row of each old one is given back, or None.
        """
        if self._added < _LOOK_EVERY:
            return None
        self._added = 0
        used = np.zeros(len(self.digests), np.bool_)
        used[in_use[in_use >= 0]] = True
        for row in np.flatnonzero(~used & (self.length[: len(used), 0] > 0)).tolist():
            self._free(row)
        free = sum(size * len(starts) for size, starts in self._free_room.items())
        return self._move_together() if self._end >= _SMALL and 2 * free > self._end else None

    def _free(self, row: int) -> None:
        del self._by_digest[self.digests[row]]
        for start, n in zip(self.start[row].tolist(), self.length[row].tolist(), strict=True):
            self._free_room.setdefault(_room(n), []).append(start)
        self.length[row] = 0
        self._free_rows.append(row)

    def _move_together(self) -> npt.NDArray[np.int64]:
        old = Lookups.__new__(Lookups)
        old.__dict__.update(self.__dict__)
        Lookups.__init__(self, self._features)
        moved = np.full(len(old.digests), -1, np.int64)
        for digest, row in old._by_digest.items():
            moved[row] = new = self._take_row(digest)
            for k in range(self._features):
                n, there = int(old.length[row, k]), int(old.start[row, k])
                start = self._take_room(n)
                for name in ("edges", "scores", "surprises"):
                    getattr(self, name)[start : start + n] = getattr(old, name)[there : there + n]
                self.start[new, k], self.length[new, k] = start, n
            self.low[new], self.high[new] = old.low[row], old.high[row]
        return moved

    def _take_row(self, digest: str) -> int:
        if self._free_rows:
            row = self._free_rows.pop()
            self.digests[row] = digest
        else:
            row = len(self.digests)
            self.digests.append(digest)
            for name in ("start", "length", "low", "high"):
                setattr(self, name, _with_room(getattr(self, name), row + 1, 16))
        self._by_digest[digest] = row
        return row

    def _take_room(self, n: int) -> int:
        size = _room(n)
        free = self._free_room.get(size)
        if free:
            return free.pop()
        start, self._end = self._end, self._end + size
        for name in ("edges", "scores", "surprises"):
            setattr(self, name, _with_room(getattr(self, name), self._end, 1024))
        return start


def _room(n: int) -> int:
    """How much room ``n`` intervals are given.

    >>> [_room(n) for n in (1, 64, 65)]
    [64, 64, 128]
    """
    return -(-n // _PIECE) * _PIECE


def _with_room(column: npt.NDArray[Any], rows: int, least: int) -> npt.NDArray[Any]:
    """``column`` if it has so many rows, otherwise twice as much of it."""
    if rows <= len(column):
        return column
    grown = np.zeros((max(rows, 2 * len(column), least), *column.shape[1:]), column.dtype)
    grown[: len(column)] = column
    return grown
