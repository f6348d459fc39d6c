"""The models there are, a line each."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

from schemas.errors import DamagedEntry
from schemas.manifest import Manifest
from schemas.times import datetime_to_ms, iso
from streams.models_admin.find import Scope, listed
from streams.registry import Registry
from streams.registry.paths import digest_in, stack_directory, when_in

#: So many manifests are read at a time: in S3 each takes some ten milliseconds.
_READERS: Final = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One model. Of a damaged entry no more is known than its path says, and what is wrong with it."""

    digest: str
    path: str
    in_force: str  # "newest", "activated by …", "pinned by …"; empty: it should not be in force
    older: int  # models of the same machine and stack that are not shown
    damage: str
    manifest: Manifest | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = asdict(self) | {"manifest": None if self.manifest is None else self.manifest.model_dump(mode="json")}
        return {name: value for name, value in told.items() if name != "older" or value}

    @property
    def fitted_at(self) -> str:
        """ISO 8601."""
        return "" if self.manifest is None else iso(datetime_to_ms(self.manifest.fitted_at))


class Listing(NamedTuple):
    """Models, the newest first, and how many more there are: machines, or models of one."""

    rows: list[Row]
    more: int


def newest_of_each(registry: Registry, scope: Scope, most: int | None) -> Listing:
    """What should be in force of each machine and stack, and how many others there are of it.

    Of the ``most`` machines of which a model was fitted last; None: of all.
    """
    entries, activated = listed(registry, scope)
    groups = [list(paths) for _, paths in groupby(entries, key=stack_directory)]
    groups.sort(key=lambda paths: when_in(paths[-1]), reverse=True)
    with ThreadPoolExecutor(_READERS) as readers:
        rows = list(readers.map(lambda paths: _one_of(registry, paths, activated), groups[:most]))
    return Listing(rows, len(groups) - len(rows))


def all_of(registry: Registry, scope: Scope, most: int | None) -> Listing:
    """The newest ``most`` models in ``scope`` of each machine and stack, newest first; None: all."""
    rows: list[Row] = []
    entries, activated = listed(registry, scope)
    with ThreadPoolExecutor(_READERS) as readers:
        for _, group in groupby(entries, key=stack_directory):
            paths = list(group)
            why = _in_force(registry, paths, activated)
            shown = paths[::-1][:most]
            read = readers.map(lambda path: _manifest(registry, path), shown)
            rows += [
                Row(digest_in(path), path, why.get(path, ""), 0, damage, manifest)
                for path, (manifest, damage) in zip(shown, read, strict=True)
            ]
    return Listing(rows, len(entries) - len(rows))


def _one_of(registry: Registry, paths: Sequence[str], activated: Collection[str]) -> Row:
    ((path, why),) = (_in_force(registry, paths, activated) or {paths[-1]: ""}).items()
    manifest, damage = _manifest(registry, path)
    return Row(digest_in(path), path, why, len(paths) - 1, damage, manifest)


def _in_force(registry: Registry, paths: Sequence[str], activated: Collection[str]) -> dict[str, str]:
    """Which of a machine's entries should be in force, and why; nothing where all are damaged.

    Where none was activated its manifest is read and no more: a registry may hold thousands of machines.
    """
    for path in reversed(paths):
        manifest, _ = _manifest(registry, path)
        if manifest is None:
            continue
        if stack_directory(path) not in activated:
            return {path: "newest"}
        chosen = registry.chosen(manifest.client_id, manifest.machine_id, manifest.stack)
        if chosen is None:
            return {}
        activation = chosen[1].activation
        if activation is None:
            return {chosen[1].manifest: "newest"}
        return {activation.manifest: f"{'pinned' if activation.pinned else 'activated'} by {activation.by}"}
    return {}


def _manifest(registry: Registry, path: str) -> tuple[Manifest | None, str]:
    try:
        return registry.manifest(path), ""
    except DamagedEntry as error:
        return None, str(error)
