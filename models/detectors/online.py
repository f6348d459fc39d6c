"""River's detectors behind our protocol, with a state that can be made again from a short history.

River's own state is a tree of Python objects; pickling it would tie a changelog to one version of River. So time is
cut into epochs of 256 values, counted from the machine's first. When an epoch ends, a *fresh* detector learns that
epoch from its start. It is used, and goes on learning, until the next epoch ends, and is then thrown away. So what the
detector knows follows from the last whole epoch and the values since: at most 511 numbers, which the machine's history
holds anyway.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from models.calibration import Tail
from models.detectors.rivers import Factory, RiverModel
from models.outside import Outside
from models.spreads import spread_floor
from schemas.errors import StateError

#: Larger values are no measurements; a float32 just holds them.
_LARGEST: Final = 1e38
#: Beyond so many ranges of an epoch it does not matter any more how far.
_FARTHEST: Final = 1e6
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0


class OnlineDetector:
    """Scores each value with what came before it. Cold, and so None, until the first epoch is whole.

    ``make`` is one of :data:`models.detectors.ONLINE`, ``epoch`` a number of values, at least 8.
    """

    def __init__(self, make: Factory, epoch: int = 256, name: str = "online") -> None:
        if epoch < 8:
            raise ValueError(f"an epoch needs at least 8 values, not {epoch}")
        self.name = name
        self._make = make
        self._epoch = epoch
        self._count = 0
        self._partial: list[float] = []  # of the epoch that is not whole yet
        self._trained: _Trained | None = None

    @classmethod
    def restore(
        cls,
        make: Factory,
        values: Sequence[float],
        total_count: int,
        epoch: int = 256,
        name: str = "online",
    ) -> "OnlineDetector":
        """The detector as it was after ``total_count`` values, the newest of which are ``values``, oldest first.

        Values that :meth:`learn` leaves out count neither here nor there. Raises :class:`StateError` with fewer values
        than :attr:`needed_history`.
        """
        made = cls(make, epoch, name)
        needed = _needed(total_count, epoch)
        if len(values) < needed:
            raise StateError(
                f"detector {name!r} after {total_count} values needs the last {needed} of them and got {len(values)}; "
                "let the machine's history be longer"
            )
        made._count = total_count - needed
        for value in values[len(values) - needed :]:
            made.learn(value)
        return made

    @property
    def needed_history(self) -> int:
        """How many of the newest values :meth:`restore` needs: the last whole epoch, and those since."""
        return _needed(self._count, self._epoch)

    @property
    def count(self) -> int:
        """Values learnt since the very first."""
        return self._count

    def score(self, x: float) -> float | None:
        """Raw score, None while cold and for what is not a measurement."""
        return None if self._trained is None or not _usable(x) else self._trained.score(x)

    def surprise(self, x: float, score: float) -> float:
        """Surprise of ``x`` by its score, or, outside of the last whole epoch, by how far out it is.

        Raises ``ValueError`` while cold: then there is no score either.
        """
        if self._trained is None:
            raise ValueError(f"detector {self.name!r} is cold: its score of {x} was None")
        return self._trained.surprise(x, score)

    def learn(self, x: float) -> None:
        """Take in ``x``; leaves out NaN and what is not a measurement."""
        if not _usable(x):
            return
        self._count += 1
        self._partial.append(x)
        if len(self._partial) == self._epoch:
            self._trained = _Trained(self._make(self._epoch), self._partial)
            self._partial = []
        elif self._trained is not None:
            self._trained.learn(x)


class _Trained:
    """A detector that has learnt a whole epoch, the scale of that epoch and how its scores lay."""

    def __init__(self, model: RiverModel, epoch: Sequence[float]) -> None:
        values = np.asarray(epoch)
        self._model = model
        self._learnt = 0
        self._low = float(values.min())
        self._step = spread_floor(values)
        self._range = max(float(values.max()) - self._low, self._step)
        self._outside = Outside.fit(values)
        scores = []
        for i, x in enumerate(epoch):
            if 2 * i >= len(epoch):
                scores.append(self.score(self._dithered(x)))
            self.learn(x)
        self._tail = Tail.fit(scores)

    def score(self, x: float) -> float:
        return self._model.score(self._scaled(x))

    def surprise(self, x: float, score: float) -> float:
        return max(self._tail.surprise(score), float(self._outside.surprise(x)))

    def learn(self, x: float) -> None:
        self._model.learn(self._scaled(self._dithered(x)))
        self._learnt += 1

    def _dithered(self, x: float) -> float:
        """``x`` moved by up to half a step of quantisation: what the gauge may have rounded to ``x``.

        Without it, a flat or coarse signal has no spread at all and detectors divide by next to nothing. Multiples of
        the golden ratio fill the step evenly, and are the same on every machine and every try.
        """
        return x + (self._learnt * _GOLDEN % 1.0 - 0.5) * self._step

    def _scaled(self, x: float) -> float:
        """The epoch fills the middle third of [0, 1], so that there is room for what lies outside of it."""
        return (1.0 + min(max((x - self._low) / self._range, -_FARTHEST), _FARTHEST)) / 3.0


def _usable(x: float) -> bool:
    return math.isfinite(x) and abs(x) <= _LARGEST


def _needed(count: int, epoch: int) -> int:
    return count if count < epoch else epoch + count % epoch
