"""Two look-ups of one feature side by side."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.training import FeatureModel

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Apart:
    """Where two curves are furthest apart."""

    at: float  # value of the feature
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class CurveDifference:
    """What the second look-up says otherwise than the first."""

    feature: str
    usual_before: tuple[float, float]
    usual_after: tuple[float, float]
    score: Apart | None  # None: the same everywhere
    surprise: Apart | None
    anomalous_before: float  # share of ``seen`` at or above the threshold by the first look-up
    anomalous_after: float


def look_up(model: FeatureModel, values: Array) -> tuple[Array, Array]:
    """Scores and surprises of ``values`` (n), as the engine looks them up."""
    at = np.searchsorted(np.asarray(model.edges, dtype=np.float32), values.astype(np.float32))
    return np.asarray(model.scores)[at], np.asarray(model.surprises)[at]


def compare_curves(before: FeatureModel, after: FeatureModel, seen: Array, anomalous_at: float) -> CurveDifference:
    """Compare them at every value at which one of them changes. ``seen`` (n, at least one): medians to count verdicts on."""
    edges = np.union1d(np.asarray(before.edges), np.asarray(after.edges)).astype(np.float32)
    values = np.append(edges, np.nextafter(edges[-1:], np.float32(np.inf))).astype(np.float64)
    if len(values) == 0:
        values = seen[:1]
    one, other = look_up(before, values), look_up(after, values)
    verdicts = [float((look_up(model, seen)[1] >= anomalous_at).mean()) for model in (before, after)]
    return CurveDifference(
        after.feature,
        (before.expected_low, before.expected_high),
        (after.expected_low, after.expected_high),
        _furthest_apart(values, one[0], other[0]),
        _furthest_apart(values, one[1], other[1]),
        *verdicts,
    )


def _furthest_apart(values: Array, before: Array, after: Array) -> Apart | None:
    at = int(np.argmax(np.abs(after - before)))
    if before[at] == after[at]:
        return None
    return Apart(float(values[at]), float(before[at]), float(after[at]))


def believed_between(model: FeatureModel, anomalous_at: float) -> tuple[float | None, float | None]:
    """Lower and upper end of the values around what is usual whose surprise is below ``anomalous_at``.

    None where there is no such end, or nothing of it.
    """
    middle = np.array([(model.expected_low + model.expected_high) / 2])
    start = int(np.searchsorted(np.asarray(model.edges, dtype=np.float32), middle.astype(np.float32))[0])
    below = np.asarray(model.surprises) < anomalous_at
    low, high = start, start
    while low > 0 and below[low - 1]:
        low -= 1
    while high < len(model.edges) and below[high + 1]:
        high += 1
    return (model.edges[low - 1] if low > 0 else None, model.edges[high] if high < len(model.edges) else None)
