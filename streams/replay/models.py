"""Models by their digest: those that the models topic holds, and all that the registry does."""

from collections.abc import Mapping

import msgspec

from schemas.errors import DamagedEntry
from schemas.training import FLEET, ModelUpdate
from streams.reading_ranges import Bounds, RangeReader
from streams.registry import Registry
from streams.registry.paths import digest_in
from streams.replay.steps import Whose
from streams.settings import BrokerSettings


class _Digest(msgspec.Struct):
    digest: str


_read_digest = msgspec.json.Decoder(_Digest).decode


async def models_on_topic(broker: BrokerSettings, topic: str) -> dict[str, bytes]:
    """What the models ``topic`` holds, as it came, by digest."""
    found: dict[str, bytes] = {}
    async with RangeReader(broker) as reader:
        async for run in reader.read(await reader.find(topic, Bounds())):
            for record in run.records:
                if record.value:
                    try:
                        found.setdefault(_read_digest(record.value).digest, record.value)
                    except msgspec.DecodeError:
                        continue  # no model: the worker has told of it
    return found


class Models:
    """Finds models; a few are remembered."""

    def __init__(self, registry: Registry, on_topic: Mapping[str, bytes]) -> None:
        self._registry, self._on_topic = registry, on_topic
        self._paths: dict[Whose, list[str]] = {}
        self._fleets: dict[str, ModelUpdate] = {}  # many machines ask for these

    def find(self, whose: Whose, digest: str, rung: str) -> ModelUpdate | None:
        """The model of that digest; None if it is in neither place, or damaged. Of a fleet any of its machines may ask."""
        if rung != "fleet":
            return self._look_for(whose, digest)
        if digest not in self._fleets:
            found = self._look_for(whose._replace(machine_id=FLEET), digest)
            if found is None:
                return None
            self._fleets[digest] = found
        return self._fleets[digest]

    def has(self, whose: Whose, digest: str, rung: str) -> bool:
        """Whether :meth:`find` is likely to find it, asked cheaply."""
        of = whose._replace(machine_id=FLEET) if rung == "fleet" else whose
        return digest in self._on_topic or self._path(of, digest) is not None

    def has_in_registry(self, whose: Whose, digest: str, rung: str) -> bool:
        """Whether the registry has a model of that digest for this very machine, or for its fleet."""
        return self._path(whose._replace(machine_id=FLEET) if rung == "fleet" else whose, digest) is not None

    def _look_for(self, whose: Whose, digest: str) -> ModelUpdate | None:
        value = self._on_topic.get(digest)
        if value is not None:
            return ModelUpdate.model_validate_json(value)
        path = self._path(whose, digest)
        if path is None:
            return None
        try:
            return self._registry.update(path)
        except DamagedEntry:
            return None

    def _path(self, whose: Whose, digest: str) -> str | None:
        paths = self._paths.get(whose)
        if paths is None:
            paths = self._paths[whose] = self._registry.entries(whose.client_id, whose.machine_id, whose.stack)
        return next((path for path in reversed(paths) if digest_in(path) == digest), None)
