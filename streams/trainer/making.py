"""From a request to a registry entry. Everything it depends on is passed in; the same arguments make the same model."""

import hashlib
import platform
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import Final

import numpy as np

from models.detectors import ForestDetector
from models.fitting import FitParameters, Fitted, fit_fleet, fit_model
from schemas.manifest import Manifest
from schemas.training import FLEET, ModelUpdate, SourceRange, TrainingReason, TrainingRequest
from streams.build_info import BuildInfo
from streams.registry import Entry, TrainingData
from streams.registry.paths import manifest_path

#: Libraries whose version may change a model.
_PACKAGES: Final = ("numpy", "scikit-learn", "scipy", "skops", "pyarrow", "pydantic")


@dataclass(frozen=True, slots=True)
class Member:
    """One machine of a fleet: its own model, the readings that was made from, and what it was fitted to."""

    digest: str
    source: SourceRange | None
    training: TrainingData


def handle_request(request: TrainingRequest, now: datetime, parameters: FitParameters, build: BuildInfo) -> Entry:
    """The machine's new model, with everything about it. Raises ``ValueError`` if no model can be fitted."""
    fitted = fit_model(request.features, request.medians, parameters, request.seed)
    path = manifest_path(request.client_id, request.machine_id, request.stack, now, fitted.digest)
    update = ModelUpdate(
        digest=fitted.digest,
        client_id=request.client_id,
        machine_id=request.machine_id,
        stack=request.stack,
        rung="own",
        detector=ForestDetector.name,
        features=list(fitted.features),
        readings=fitted.readings,
        fitted_at=now,
        reason=request.reason,
        request_id=request.request_id,
        parent_digest=request.parent_digest,
        manifest=path,
        code_version=build.version,
        git_commit=build.git_commit,
    )
    manifest = _manifest(update, parameters, request.seed, build).model_copy(
        update={
            "request_sha256": sha256_of(request),
            "source": request.source,
            "state_offset": None if request.state is None else request.source.last_offset,
            "exclusions": request.exclusions,
            "feedback": request.feedback,
        }
    )
    columns = [np.asarray(column, dtype=np.float64) for column in request.medians]
    training = TrainingData(tuple(request.features), {request.machine_id: columns})
    return Entry(manifest, update, training, fitted.forests, request.state)


def make_fleet(
    client_id: str,
    stack: str,
    members: Mapping[str, Member],
    machines: int,
    parent_digest: str | None,
    now: datetime,
    parameters: FitParameters,
    build: BuildInfo,
) -> Entry:
    """A client's fleet model. ``members``: by machine, all with the same features, at least one; ``machines``: how many the
    fleet has, which may be more."""
    features = next(iter(members.values())).training.features
    columns: dict[str, Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]]] = {
        name: member.training.machines[name] for name, member in members.items()
    }
    seed = zlib.crc32(f"{client_id}/{FLEET}/{stack}".encode())
    fitted: Fitted = fit_fleet(features, list(columns.values()), parameters, seed)
    reason: TrainingReason = "first" if parent_digest is None else "more_history"
    update = ModelUpdate(
        digest=fitted.digest,
        client_id=client_id,
        machine_id=FLEET,
        stack=stack,
        rung="fleet",
        detector=ForestDetector.name,
        features=list(fitted.features),
        readings=fitted.readings,
        fitted_at=now,
        reason=reason,
        request_id=None,
        parent_digest=parent_digest,
        manifest=manifest_path(client_id, FLEET, stack, now, fitted.digest),
        code_version=build.version,
        git_commit=build.git_commit,
    )
    manifest = _manifest(update, parameters, seed, build).model_copy(
        update={
            "members": {name: member.digest for name, member in members.items()},
            "member_sources": {name: member.source for name, member in members.items() if member.source is not None},
            "parameters": {**asdict(parameters), "machines": machines},
        }
    )
    return Entry(manifest, update, TrainingData(features, columns), fitted.forests)


def sha256_of(request: TrainingRequest) -> str:
    """By which a request is known when it comes again. Its id alone does not do: a topic may be made anew."""
    return hashlib.sha256(request.model_dump_json(exclude={"state"}).encode()).hexdigest()


def _manifest(update: ModelUpdate, parameters: FitParameters, seed: int, build: BuildInfo) -> Manifest:
    return Manifest(
        digest=update.digest,
        client_id=update.client_id,
        machine_id=update.machine_id,
        stack=update.stack,
        rung=update.rung,
        detector=update.detector,
        features=[model.feature for model in update.features],
        fitted_at=update.fitted_at,
        reason=update.reason,
        request_id=update.request_id,
        request_sha256=None,
        parent_digest=update.parent_digest,
        readings=update.readings,
        source=None,
        exclusions=[],
        members={},
        member_sources={},
        parameters=asdict(parameters),
        seed=seed,
        code_version=build.version,
        git_commit=build.git_commit,
        tree_clean=build.tree_clean,
        packages=package_versions(),
        files={},
    )


@cache
def package_versions() -> dict[str, str]:
    """Versions here of what has a say in a model."""
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
