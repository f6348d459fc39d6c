"""The model that a machine is judged by, out of the registry, with those that were in force before."""

import contextlib
from typing import Final

import numpy as np

from models.comparing import look_up
from schemas.api_machine import EarlierModel, MachineModel, ModelCurve
from schemas.errors import DamagedEntry, RegistryError
from schemas.training import FLEET, FeatureModel, ModelUpdate
from streams.dashboard.commands import activate
from streams.dashboard.machines import Row
from streams.models_admin.difference import anomalous_at
from streams.registry import Registry
from streams.registry.paths import digest_in
from streams.reproduce.looking_up import own_units
from streams.settings import RegistrySettings

#: Of a curve so many values are shown.
_VALUES: Final = 240
#: A model has thresholds far out; the curve ends so many widths of the usual range beside it.
_WIDTHS: Final = 4.0
_MOST_EARLIER: Final = 10


def model_card(settings: RegistrySettings, row: Row, viewer: str) -> MachineModel:
    """The card of the machine and stack that ``row`` is of. Reads some files, and may block. Says where there is nothing."""
    threshold = anomalous_at(row.stack)
    rung = row.model_rung if row.model_rung in ("own", "fleet", "online") else None
    empty = MachineModel.model_validate(
        {
            "digest": row.model_digest, "rung": rung, "manifest": None, "activation": None, "anomalous_at": threshold,
            "curves": [], "earlier": [], "note": None,
        }
    )  # fmt: skip
    if rung == "online":
        return empty.model_copy(
            update={"note": "It learns from each reading as it comes: the registry has no model of it."}
        )
    try:
        registry = Registry(settings)
        whose = FLEET if rung == "fleet" else row.machine_id
        paths = registry.entries(row.client_id, whose, row.stack)
        earlier = _earlier(registry, paths, row, whose, viewer)
        if row.model_digest is None:
            return empty.model_copy(
                update={"earlier": earlier, "note": "None yet: a machine gets its first one after 200 readings."}
            )
        return _found(registry, paths, row, empty.model_copy(update={"earlier": earlier}))
    except RegistryError as error:
        return empty.model_copy(update={"note": str(error)})


def _found(registry: Registry, paths: list[str], row: Row, empty: MachineModel) -> MachineModel:
    for path in reversed(paths):
        if digest_in(path) != row.model_digest:
            continue
        manifest, update = registry.manifest(path), registry.update(path)
        activation = registry.latest_activation(manifest.client_id, manifest.machine_id, manifest.stack)
        return empty.model_copy(
            update={
                "manifest": manifest,
                "activation": activation if activation and activation.digest == manifest.digest else None,
                "curves": curves(update, row.expected_low, row.expected_high),
            }
        )
    return empty.model_copy(update={"note": f"The registry at {registry.url} has no model {row.model_digest} of it."})


def _earlier(registry: Registry, paths: list[str], row: Row, whose: str, viewer: str) -> list[EarlierModel]:
    found: dict[str, EarlierModel] = {}
    for path in reversed(paths):
        digest = digest_in(path)
        if digest == row.model_digest or digest in found:
            continue
        if len(found) == _MOST_EARLIER:
            break
        with contextlib.suppress(DamagedEntry):
            manifest = registry.manifest(path)
            found[digest] = EarlierModel(
                digest=digest,
                fitted_at=manifest.fitted_at,
                readings=manifest.readings,
                reason=manifest.reason,
                command=activate(digest, row.client_id, whose, row.stack, viewer),
            )
    return list(found.values())


def curves(update: ModelUpdate, low: float | None, high: float | None) -> list[ModelCurve]:
    """Surprise over value of each feature. ``low`` and ``high``: the machine's usual range, by which a fleet's sees it."""
    return [_curve(model, *own_units(model, low, high, update.rung)) for model in update.features]


def _curve(model: FeatureModel, centre: float, spread: float) -> ModelCurve:
    width = max(model.expected_high - model.expected_low, 1e-9) * _WIDTHS
    values = np.linspace(model.expected_low - width, model.expected_high + width, _VALUES)
    return ModelCurve(
        feature=model.feature,
        values=np.round(centre + spread * values, 4).tolist(),
        surprises=np.round(look_up(model, values)[1], 3).tolist(),
        expected_low=centre + spread * model.expected_low,
        expected_high=centre + spread * model.expected_high,
    )
