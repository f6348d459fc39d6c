"""What differs between two models: data, parameters, code, packages, what is usual, and the score curve."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from models.comparing import CurveDifference, compare_curves
from models.fitting import in_own_spreads
from models.stacks import Stack, choose_stacks
from models.stacks.base import Thresholds
from schemas.errors import BadSettings, UnknownModel
from schemas.manifest import Manifest
from streams.models_admin.told import exclusions_told, feedback_told, moment_told, source_told
from streams.registry import Registry, TrainingData

_QUANTILES: Final = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the two do not share."""

    about: str  # data, parameters, code, packages
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of two models."""

    before: str  # paths
    after: str
    differences: tuple[Difference, ...]
    curves: tuple[CurveDifference, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def compare(registry: Registry, before: str, after: str) -> Comparison:
    """Compare two entries, given by their manifests. Verdicts are counted on what the second one was fitted to.

    Raises :class:`UnknownModel` for a fleet's beside a machine's, whose values have other units.
    """
    one, other = registry.manifest(before), registry.manifest(after)
    if one.rung != other.rung or one.features != other.features:
        raise UnknownModel(
            f"{one.digest} and {other.digest} cannot be compared: they are of {one.rung} for {', '.join(one.features)} and "
            f"of {other.rung} for {', '.join(other.features)}; give two models of one kind"
        )
    trained = registry.training(before), registry.training(after)
    differences = (
        *_data(one, other),
        *_spreads_of_medians(*trained),
        *_settings("parameters", one.parameters | {"seed": one.seed}, other.parameters | {"seed": other.seed}),
        *_code(one, other),
        *_settings("packages", one.packages, other.packages),
    )
    looked_up = zip(registry.update(before).features, registry.update(after).features, strict=True)
    at = anomalous_at(other.stack)
    curves = [
        compare_curves(first, second, medians(trained[1], k, is_fleet=other.rung == "fleet"), at)
        for k, (first, second) in enumerate(looked_up)
    ]
    return Comparison(before, after, differences, tuple(curves))


def anomalous_at(stack: str) -> float:
    """From which surprise on the stack calls a reading anomalous; the usual one where it is not known here."""
    known = stack_named(stack)
    return (Thresholds() if known is None else known.thresholds).anomalous_at


def stack_named(name: str) -> Stack | None:
    """The stack, None where it is not registered here."""
    try:
        return choose_stacks([name])[0]
    except BadSettings:
        return None


def medians(training: TrainingData, feature: int, *, is_fleet: bool) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What a look-up was fitted to: medians of all machines; a fleet's in each one's own spreads."""
    columns = [np.asarray(machine[feature]) for machine in training.machines.values()]
    return np.concatenate([in_own_spreads(column) for column in columns] if is_fleet else columns)


def _data(one: Manifest, other: Manifest) -> Iterator[Difference]:
    told = [
        ("machine", *(f"{m.client_id}/{m.machine_id}/{m.stack}" for m in (one, other))),
        ("fitted at", *(moment_told(m.fitted_at) for m in (one, other))),
        ("reason", one.reason, other.reason),
        ("medians", *(f"{m.readings:,}" for m in (one, other))),
        ("readings", *(source_told(m.source) for m in (one, other))),
        ("left out", *(exclusions_told(m.exclusions) for m in (one, other))),
        ("heeded", *(feedback_told(m.feedback) for m in (one, other))),
        ("machines", *(_members_told(m, than) for m, than in ((one, other), (other, one)))),
        ("parent", one.parent_digest or "none", other.parent_digest or "none"),
    ]
    for what, before, after in told:
        if before != after:
            yield Difference("data", what, before, after)


def _members_told(manifest: Manifest, than: Manifest) -> str:
    alone = sorted(manifest.members.keys() - than.members.keys())
    refitted = sum(than.members.get(name, digest) != digest for name, digest in manifest.members.items())
    only = f", alone here: {', '.join(alone[:5])}{' …' if len(alone) > 5 else ''}" if alone else ""
    return f"{len(manifest.members)}{only}{f', {refitted} with another model' if refitted else ''}"


def _spreads_of_medians(one: TrainingData, other: TrainingData) -> Iterator[Difference]:
    for k, feature in enumerate(other.features):
        said = [
            " / ".join(f"{value:.4g}" for value in np.quantile(medians(data, k, is_fleet=False), _QUANTILES))
            for data in (one, other)
        ]
        if said[0] != said[1]:
            yield Difference("data", f"{feature}: 5 % / half / 95 % of medians", said[0], said[1])


def _code(one: Manifest, other: Manifest) -> Iterator[Difference]:
    for what in ("code_version", "git_commit", "tree_clean"):
        before, after = getattr(one, what), getattr(other, what)
        if before != after:
            yield Difference("code", what.replace("_", " "), _said(before), _said(after))


def _settings(about: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted(one.keys() | other.keys()):
        if one.get(name) != other.get(name):
            yield Difference(about, name, _said(one.get(name)), _said(other.get(name)))


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not known" if value is None else str(value)
