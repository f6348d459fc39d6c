"""What was put together for a release, and whether what runs here is that."""

import hashlib
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.engine.layout import VERSION
from schemas.errors import BadInputFile
from schemas.published import PUBLISHED, schema_text
from schemas.release import Artifact, Release
from streams.build_info import BuildInfo


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something here that is not as in the release."""

    what: str
    released: str
    here: str


def describe(now: datetime, build: BuildInfo, artifacts: Sequence[Artifact], locks: Sequence[Path]) -> Release:
    """The release that this environment is. Raises :class:`BadInputFile` if a lock file cannot be read."""
    return Release(
        version=build.version,
        git_commit=build.git_commit,
        tree_clean=build.tree_clean,
        made_at=now,
        artifacts=list(artifacts),
        state_layout=VERSION,
        schemas={model.__name__: hashlib.sha256(schema_text(model).encode()).hexdigest() for model in PUBLISHED},
        python=platform.python_version(),
        packages=_packages(),
        locks={lock.name: sha256_of(lock) for lock in locks},
    )


def wheel(path: Path) -> Artifact:
    """A wheel as an artifact. Raises :class:`BadInputFile` if it cannot be read."""
    return Artifact(kind="wheel", name=path.name, sha256=sha256_of(path))


def image(reference: str) -> Artifact:
    """An image as an artifact, by ``name@sha256:…``. Raises :class:`BadInputFile` for what names no digest."""
    name, _, digest = reference.rpartition("@sha256:")
    if not name or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise BadInputFile(
            f"image {reference!r} names no digest: give NAME@sha256:…, as `docker inspect --format "
            "'{{index .RepoDigests 0}}' IMAGE` shows it"
        )
    return Artifact(kind="image", name=name, sha256=digest)


def read_release(path: Path) -> Release:
    """A release manifest. Raises :class:`BadInputFile` if the file is none."""
    try:
        return Release.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadInputFile(f"release manifest {path} cannot be read: {error}") from error
    except ValidationError as error:
        wrong = error.errors()[0]
        raise BadInputFile(
            f"{path} is no release manifest: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}; write one with "
            "`wellsentry release`"
        ) from error


def deviations(released: Release, here: Release) -> Iterator[Deviation]:
    """What is otherwise here. When it was made, and artifacts and locks that are not at hand here, are not compared."""
    for what in ("version", "git_commit", "state_layout"):
        yield from _if_other(what, getattr(released, what), getattr(here, what))
    # Packages are chosen for a minor version; an image and who built it may differ in the rest.
    yield from _if_other("python", *(".".join(one.python.split(".")[:2]) for one in (released, here)))
    if here.tree_clean is False:
        yield Deviation("tree", "a commit", "changes that are not committed")
    for section in ("schemas", "packages"):
        then, now = getattr(released, section), getattr(here, section)
        for name in sorted(then.keys() | now.keys()):
            yield from _if_other(f"{section}: {name}", then.get(name), now.get(name))
    for name in sorted(released.locks.keys() & here.locks.keys()):
        yield from _if_other(f"locks: {name}", released.locks[name], here.locks[name])
    at_hand = {(one.kind, one.name): one.sha256 for one in here.artifacts}
    for one in released.artifacts:
        found = at_hand.get((one.kind, one.name))
        if found is not None:
            yield from _if_other(f"{one.kind} {one.name}", one.sha256, found)


def _if_other(what: str, then: Any, now: Any) -> Iterator[Deviation]:
    if then != now:
        yield Deviation(what, "none" if then is None else str(then), "none" if now is None else str(now))


def sha256_of(path: Path) -> str:
    """Of a file's bytes. Raises :class:`BadInputFile` if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInputFile(f"{path} cannot be read: {error}") from error


def _packages() -> dict[str, str]:
    """Versions here of what wellsentry asks for."""
    try:
        asked = metadata.requires("wellsentry") or []
    except metadata.PackageNotFoundError:
        asked = []
    names = sorted({re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0].lower() for line in asked})
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found
