"""River's online detectors, by the names they have in the settings.

A factory makes an untrained one for epochs of so many values. What it is given lies mostly between 1/3 and 2/3 (see
:mod:`models.detectors.online`). Its randomness is seeded with a constant, so that it is a function of what it learnt.
"""

from collections.abc import Callable
from typing import Final, Protocol

#: Any will do, as long as it stays the same.
_SEED: Final = 1


class RiverModel(Protocol):
    """One of River's detectors, told of one number at a time."""

    def score(self, x: float) -> float: ...

    def learn(self, x: float) -> None: ...


class _HalfSpaceTrees:
    """Tan, Ting, Liu, "Fast Anomaly Detection for Streaming Data", 2011. It wants features in [0, 1]."""

    def __init__(self, epoch: int) -> None:
        from river.anomaly import HalfSpaceTrees  # River takes a second to import and few need it

        # A window of a quarter of an epoch: warm well before the half from which scores are calibrated.
        self._river = HalfSpaceTrees(n_trees=10, height=6, window_size=max(1, epoch // 4), seed=_SEED)

    def score(self, x: float) -> float:
        return float(self._river.score_one({"x": x}))

    def learn(self, x: float) -> None:
        self._river.learn_one({"x": x})


class _StandardAbsoluteDeviation:
    """How many standard deviations from the mean of everything learnt."""

    def __init__(self, epoch: int) -> None:  # noqa: ARG002 - it has no window
        from river.anomaly import StandardAbsoluteDeviation

        self._river = StandardAbsoluteDeviation()

    def score(self, x: float) -> float:
        return float(self._river.score_one(None, x))

    def learn(self, x: float) -> None:
        self._river.learn_one(None, x)


#: Makes a detector that is going to learn epochs of so many values.
Factory = Callable[[int], RiverModel]

ONLINE: Final[dict[str, Factory]] = {
    "half_space_trees": _HalfSpaceTrees,
    "standard_absolute_deviation": _StandardAbsoluteDeviation,
}
