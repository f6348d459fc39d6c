"""Whether a model is what it was when it was stored, and whether its data still make it."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from models.fitting import FitParameters, digest_of, fit_fleet, fit_model
from models.forest import compile_forest
from schemas.errors import DamagedEntry
from schemas.manifest import Manifest
from schemas.training import ModelUpdate
from streams.registry import Registry, TrainingData
from streams.trainer.making import package_versions


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    path: str  # of the entry's manifest
    check: str  # manifest, file, model, forest, refit
    file: str
    ok: bool
    what: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def verify(registry: Registry, path: str, *, refit: bool = True) -> Iterator[Check]:
    """Look at everything of an entry: each file's SHA-256, the model's digest, that the forests give its scores, and with
    ``refit`` that a fit of the stored data gives it again. What depends on a damaged file is not looked at.
    """
    try:
        manifest = registry.manifest(path)
    except DamagedEntry as error:
        yield Check(path, "manifest", "manifest.json", False, str(error))
        return
    yield Check(
        path, "manifest", "manifest.json", True, f"of {manifest.client_id}/{manifest.machine_id}/{manifest.stack}"
    )
    whole = set()
    for name, expected in manifest.files.items():
        check = _file(registry, path, name, expected)
        whole |= {name} if check.ok else set()
        yield check
    try:
        update = registry.update(path)
        if update.digest != manifest.digest:
            raise DamagedEntry(f"the manifest is of {manifest.digest}")
    except DamagedEntry as error:
        yield Check(path, "model", "lookup.json", False, str(error))
        return
    yield Check(path, "model", "lookup.json", True, f"has digest {digest_of(update.features)}")
    if whole != set(manifest.files):
        return
    yield from _forests(registry, path, manifest, update)
    if refit:
        yield _refit(path, manifest, registry.training(path))


def _file(registry: Registry, path: str, name: str, expected: str) -> Check:
    try:
        data = registry.file(path, name)
    except DamagedEntry as error:
        return Check(path, "file", name, False, str(error))
    return Check(path, "file", name, hashlib.sha256(data).hexdigest() == expected, f"{len(data):,} bytes, as stored")


def _forests(registry: Registry, path: str, manifest: Manifest, update: ModelUpdate) -> Iterator[Check]:
    for model in update.features:
        lookup = compile_forest(registry.forest(path, model.feature)).rounded(manifest.parameters["score_digits"])
        # The upper end of an interval lies in it.
        scores = lookup.score_all(np.asarray(model.edges))
        same = bool(np.array_equal(scores, np.asarray(model.scores)[: len(scores)]))
        said = "gives the look-up's scores" if same else "gives other scores than the look-up has"
        yield Check(path, "forest", model.feature, same, said)


def _refit(path: str, manifest: Manifest, training: TrainingData) -> Check:
    known = {field.name for field in fields(FitParameters)}
    parameters = FitParameters(**{name: value for name, value in manifest.parameters.items() if name in known})
    if manifest.rung == "fleet":
        fitted = fit_fleet(training.features, list(training.machines.values()), parameters, manifest.seed)
    else:
        (columns,) = training.machines.values()
        fitted = fit_model(training.features, columns, parameters, manifest.seed)
    if fitted.digest == manifest.digest:
        return Check(path, "refit", "training.parquet", True, f"fitted again it is {fitted.digest}")
    here = package_versions()
    other = [
        f"{name} {version}, here {here.get(name, 'none')}"
        for name, version in manifest.packages.items()
        if here.get(name) != version
    ]
    why = f"it was made with {', '.join(other)}" if other else "with the very same packages"
    return Check(path, "refit", "training.parquet", False, f"fitted again it is {fitted.digest}; {why}")
