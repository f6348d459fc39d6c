"""Storing models and finding them again."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from models.fitting import digest_of
from schemas.errors import DamagedEntry
from schemas.manifest import Manifest
from schemas.training import Activation, ModelUpdate
from streams.registry.entry import Entry, TrainingData, forest_from_bytes, forest_to_bytes, to_json
from streams.registry.files import Files
from streams.registry.paths import (
    ACTIVATIONS,
    LOOKUP,
    MANIFEST,
    PLOT,
    STATE,
    TRAINING,
    activation_path,
    activations_path,
    beside,
    digest_in,
    forest_name,
    models_path,
    safe,
    stack_directory,
)
from streams.settings import RegistrySettings

if TYPE_CHECKING:
    from sklearn.ensemble import IsolationForest

M = TypeVar("M", bound=BaseModel)


def _raise(error: DamagedEntry) -> None:
    raise error


class Registry:
    """Entries are named by the path of their manifest, relative to the registry's root.

    Every method raises :class:`RegistryError` when the store fails and :class:`DamagedEntry` when an entry is not as it
    was stored; both name the file.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        self._files = Files(settings)
        self.url = self._files.url

    # -- writing

    def store(self, entry: Entry) -> str:
        """Write an entry, its manifest last; the path of the manifest. Writing the same entry again does no harm."""
        path = entry.update.manifest
        files = {
            TRAINING: entry.training.to_parquet(),
            LOOKUP: to_json(entry.update),
            PLOT: _plot_code(),
            **{
                forest_name(model.feature): forest_to_bytes(forest)
                for model, forest in zip(entry.update.features, entry.forests, strict=True)
            },
            **({STATE: entry.state} if entry.state is not None else {}),
        }
        for name, data in files.items():
            self._files.write(beside(path, name), data)
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        self._files.write(path, to_json(entry.manifest.model_copy(update={"files": sums}), indent=2))
        return path

    def activate(self, client_id: str, machine_id: str, stack: str, activation: Activation) -> str:
        """Record that a model is put in force; where that stands."""
        path = activation_path(client_id, machine_id, stack, activation.at, activation.digest)
        self._files.write(path, to_json(activation, indent=2))
        return path

    # -- reading one entry

    def manifest(self, path: str) -> Manifest:
        """The manifest at ``path``."""
        return self._parse(Manifest, path, self._files.read(path))

    def update(self, path: str) -> ModelUpdate:
        """The compiled model of the entry, its digest checked."""
        update = self._parse(ModelUpdate, beside(path, LOOKUP), self._read(path, LOOKUP))
        if digest_of(update.features) != update.digest:
            raise DamagedEntry(f"{self._damaged(beside(path, LOOKUP))}: the model does not have digest {update.digest}")
        return update

    def training(self, path: str) -> TrainingData:
        """What the entry's model was fitted to."""
        return TrainingData.from_parquet(self._read(path, TRAINING))

    def forest(self, path: str, feature: str) -> "IsolationForest":
        """The forest of one of the entry's features."""
        return forest_from_bytes(self._read(path, forest_name(feature)))

    def state(self, path: str) -> bytes | None:
        """The machine's state when the entry's model was asked for, None where it was not kept."""
        return self._read(path, STATE) if STATE in self.manifest(path).files else None

    def file(self, path: str, name: str) -> bytes:
        """Any file of the entry, just as it was stored."""
        return self._read(path, name)

    # -- finding entries

    def entries(self, client_id: str, machine_id: str, stack: str) -> list[str]:
        """All complete entries of a machine's stack, oldest first. The fleet's machine is ``*``."""
        return _manifests(self._files.below(models_path(client_id, machine_id, stack)))

    def with_digest(self, client_id: str, machine_id: str, stack: str, digest: str) -> list[str]:
        """Those of them whose model has this digest, newest first: the same model may have been fitted twice."""
        return [path for path in reversed(self.entries(client_id, machine_id, stack)) if digest_in(path) == digest]

    def all_entries(
        self, client_id: str | None = None, machine_id: str | None = None
    ) -> tuple[list[str], frozenset[str]]:
        """All complete entries, by machine and stack, oldest first, and the directories of those machines' stacks of which
        any was ever activated. Of one client if it is named, of one of its machines if that is named too.
        """
        names = [] if client_id is None else [client_id] if machine_id is None else [client_id, machine_id]
        listed = self._files.below("/".join(map(safe, names)))
        return _manifests(listed), frozenset(stack_directory(path) for path in listed if _is_activation(path))

    def activations(self, client_id: str, machine_id: str, stack: str) -> list[Activation]:
        """What was activated of a machine's stack, oldest first."""
        paths = self._files.below(activations_path(client_id, machine_id, stack))
        return [self._activation(path) for path in paths]

    def latest_activation(self, client_id: str, machine_id: str, stack: str) -> Activation | None:
        """The last of them."""
        paths = self._files.below(activations_path(client_id, machine_id, stack))
        return self._activation(paths[-1]) if paths else None

    def answer_to(self, client_id: str, machine_id: str, stack: str, digest: str, request_sha256: str) -> str | None:
        """The whole entry with this model that was made for this very request, None when there is none."""
        for path in self.with_digest(client_id, machine_id, stack, digest):
            with contextlib.suppress(DamagedEntry):
                if self.manifest(path).request_sha256 == request_sha256 and self.update(path).digest == digest:
                    return path
        return None

    def latest_whole(self, client_id: str, machine_id: str, stack: str) -> tuple[Manifest, ModelUpdate] | None:
        """The newest entry that is not damaged, None when there is none."""
        for path in reversed(self.entries(client_id, machine_id, stack)):
            with contextlib.suppress(DamagedEntry):
                return self.manifest(path), self.update(path)
        return None

    def chosen(self, client_id: str, machine_id: str, stack: str) -> tuple[Manifest, ModelUpdate] | None:
        """The model that should be in force: the newest whole one, or the one that was activated since or is pinned."""
        activation = self.latest_activation(client_id, machine_id, stack)
        newest = self.latest_whole(client_id, machine_id, stack)
        if activation is not None and (newest is None or activation.outlasts(newest[0].fitted_at)):
            with contextlib.suppress(DamagedEntry):
                manifest, update = self.manifest(activation.manifest), self.update(activation.manifest)
                return manifest, update.model_copy(update={"activation": activation})
        return newest

    def in_force_of_machines(self, client_id: str, stack: str) -> list[str]:
        """The entry whose model should be in force of each of a client's machines for ``stack``, without the fleet's.

        In order of machines. It is the newest one, or the one that was activated since or is pinned.
        """
        manifests, activated = self.all_entries(client_id)
        fleet = models_path(client_id, "*", stack)
        return [
            self._path_in_force(path) if group in activated else path
            for group, path in _newest(manifests).items()
            if group.endswith(f"/{safe(stack)}") and group != fleet
        ]

    def all_chosen(self, damaged: Callable[[DamagedEntry], None] = _raise) -> Iterator[ModelUpdate]:
        """The model that should be in force of each client, machine and stack, in order of their paths: the newest one, or
        the one that was activated since or is pinned.

        ``damaged`` is told of each entry that cannot be used; if it returns, the entry is left out.
        """
        manifests, activated = self.all_entries()
        for group, path in _newest(manifests).items():
            try:
                update = self._chosen(path) if group in activated else self.update(path)
            except DamagedEntry as error:
                damaged(error)
                continue
            yield update

    # -- inside

    def _path_in_force(self, newest: str) -> str:
        """Where the machine's model that should be in force stands; ``newest`` itself if that is damaged."""
        try:
            return self._chosen(newest).manifest
        except DamagedEntry:
            return newest

    def _chosen(self, newest: str) -> ModelUpdate:
        manifest = self.manifest(newest)
        found = self.chosen(manifest.client_id, manifest.machine_id, manifest.stack)
        return self.update(newest) if found is None else found[1]

    def _activation(self, path: str) -> Activation:
        return self._parse(Activation, path, self._files.read(path))

    def _read(self, path: str, name: str) -> bytes:
        """A file of the entry, just as it was stored."""
        expected = self.manifest(path).files.get(name)
        where = beside(path, name)
        if expected is None:
            raise DamagedEntry(f"{self._damaged(path)}: it lists no file {name}")
        data = self._files.read(where)
        if hashlib.sha256(data).hexdigest() != expected:
            raise DamagedEntry(f"{self._damaged(where)}: its SHA-256 is not the one in the manifest")
        return data

    def _parse(self, schema: type[M], path: str, data: bytes) -> M:
        try:
            return schema.model_validate_json(data)
        except ValidationError as error:
            raise DamagedEntry(f"{self._damaged(path)}: {error.errors()[0]['msg']}") from error

    def _damaged(self, path: str) -> str:
        return (
            f"{self.url}/{path} is damaged; put an older model in force (`wellsentry models activate`), or remove the entry "
            "and let the machine be refitted"
        )


def _manifests(paths: list[str]) -> list[str]:
    """Those of ``paths`` that are manifests of entries: <client>/<machine>/<stack>/<entry>/manifest.json."""
    return [path for path in paths if path.endswith(f"/{MANIFEST}") and path.count("/") == 4]


def _newest(manifests: list[str]) -> dict[str, str]:
    """The last of each <client>/<machine>/<stack>. ``manifests`` are sorted, entries by their time."""
    return {stack_directory(path): path for path in manifests}


def _is_activation(path: str) -> bool:
    return path.count("/") == 4 and path.split("/")[3] == ACTIVATIONS and path.endswith(".json")


@cache
def _plot_code() -> bytes:
    return Path(__file__).with_name(PLOT).read_bytes()
