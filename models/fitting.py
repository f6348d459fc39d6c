"""From a machine's history to a model: forest, look-up, surprises, expected band."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from models.calibration import Tail
from models.forest import Edges, IntervalLookup, compile_forest, fit_forest, to_float32
from models.outside import Outside
from models.spreads import robust_spread, spread_floor
from schemas.training import FeatureModel

if TYPE_CHECKING:
    from sklearn.ensemble import IsolationForest

Array = npt.NDArray[np.float64]

#: A fleet's model is fitted to at most so many values, shared out evenly between its machines.
FLEET_VALUES: Final = 20_000
#: Usual is what lies between these quantiles, one step of quantisation added on either side.
_USUAL: Final = (0.005, 0.995)
_SURPRISE_DIGITS: Final = 3
_FEATURES: Final = TypeAdapter(list[FeatureModel])


@dataclass(frozen=True, slots=True)
class FitParameters:
    """What a fit may be told."""

    trees: int = 100
    samples_per_tree: int = 256
    score_digits: int = 2  # raw scores are rounded to this


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model, and the forests it was compiled from, in the same order."""

    features: tuple[FeatureModel, ...]
    forests: tuple["IsolationForest", ...]
    readings: int  # medians it was fitted to, of the feature that had most

    @property
    def digest(self) -> str:
        """First 16 hex digits of the SHA-256 of the features."""
        return digest_of(self.features)


def digest_of(features: Sequence[FeatureModel]) -> str:
    """First 16 hex digits of the SHA-256 of ``features`` as a model update's JSON has them: the array with its brackets."""
    return hashlib.sha256(_FEATURES.dump_json(list(features))).hexdigest()[:16]


def fit_model(
    names: Sequence[str], medians: Sequence[Sequence[float] | Array], parameters: FitParameters, seed: int
) -> Fitted:
    """A model of one machine. ``medians``: for each of ``names`` its medians, any number of them; not finite ones are
    left out. The same arguments give the same model.

    Raises ``ValueError`` when a feature has no finite median.
    """
    if len(names) != len(medians):
        raise ValueError(f"{len(names)} features are named and {len(medians)} given")
    columns = [_usable(name, column) for name, column in zip(names, medians, strict=True)]
    fits = [
        _fit_feature(name, column, parameters, seed + index)
        for index, (name, column) in enumerate(zip(names, columns, strict=True))
    ]
    return Fitted(tuple(model for model, _ in fits), tuple(forest for _, forest in fits), max(map(len, columns)))


def fit_fleet(
    names: Sequence[str],
    machines: Sequence[Sequence[Sequence[float] | Array]],
    parameters: FitParameters,
    seed: int,
) -> Fitted:
    """A model of a fleet, in units of a machine's own spread: ``(median - its machine's median) / its spread``.

    ``machines``: for each machine what :func:`fit_model` takes of one. Each weighs the same, however long its history.
    Raises ``ValueError`` when there is no machine, or one has no finite median of a feature.
    """
    if not machines:
        raise ValueError("a fleet needs at least one machine")
    pooled = [
        np.concatenate(_shared_out([in_own_spreads(_usable(name, machine[k])) for machine in machines]))
        for k, name in enumerate(names)
    ]
    return fit_model(names, pooled, parameters, seed)


def _usable(name: str, values: Sequence[float] | Array) -> Array:
    """The finite ones; a forest works in float32, so what is infinite there is left out too."""
    column = np.asarray(values, dtype=np.float64)
    column = column[np.isfinite(to_float32(column))]
    if len(column) == 0:
        raise ValueError(f"feature {name!r} has no finite median to fit a model to")
    return column


def in_own_spreads(values: Array) -> Array:
    """A machine's medians (n, finite, not empty) as its fleet's model sees them: distance from their middle in spreads."""
    scaled: Array = (values - np.median(values)) / robust_spread(values)
    return scaled


def _shared_out(columns: Sequence[Array]) -> list[Array]:
    """The same number of values of each machine, spread evenly over its history."""
    each = max(1, min(min(map(len, columns)), FLEET_VALUES // len(columns)))
    return [column[np.linspace(0, len(column) - 1, each).round().astype(int)] for column in columns]


def _fit_feature(
    name: str, values: Array, parameters: FitParameters, seed: int
) -> tuple[FeatureModel, "IsolationForest"]:
    forest = fit_forest(values, parameters.trees, parameters.samples_per_tree, seed)
    lookup = compile_forest(forest).rounded(parameters.score_digits)
    rarity = Tail.fit(lookup.score_all(values), least_scale=10.0**-parameters.score_digits)
    edges, scores, surprises = _merged(*_with_outside(lookup, rarity.surprise(lookup.scores), Outside.fit(values)))
    floor = spread_floor(values)
    low, high = np.quantile(values, _USUAL)
    model = FeatureModel(
        feature=name,
        edges=edges.astype(np.float64).tolist(),
        scores=scores.tolist(),
        surprises=surprises.tolist(),
        expected_low=float(low) - floor,
        expected_high=float(high) + floor,
    )
    return model, forest


def _with_outside(lookup: IntervalLookup, surprises: Array, outside: Outside) -> tuple[Edges, Array, Array]:
    """Edges, scores and surprises with intervals added outside of what was seen. The raw score stays the forest's."""
    edges = np.unique(np.concatenate((lookup.edges, outside.edges)))
    # The upper end of an interval lies in it; infinity lies in the last one.
    inside = np.append(edges, np.float32(math.inf))
    at = np.searchsorted(lookup.edges, inside)
    made: Array = np.maximum(surprises[at], outside.surprise(inside)).round(_SURPRISE_DIGITS)
    return edges, lookup.scores[at], made


def _merged(edges: Edges, scores: Array, surprises: Array) -> tuple[Edges, Array, Array]:
    """Neighbouring intervals that are equal in both become one."""
    kept = np.flatnonzero((np.diff(scores) != 0) | (np.diff(surprises) != 0))
    return edges[kept], np.append(scores[kept], scores[-1]), np.append(surprises[kept], surprises[-1])
