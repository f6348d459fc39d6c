"""Where a machine's judging can begin: at the newest of the snapshots that the registry keeps with its models."""

import contextlib

from models.engine.snapshots import Snapshot
from schemas.errors import DamagedEntry, StateError
from streams.registry import Registry
from streams.replay.steps import Whose


def newest_snapshot(registry: Registry, whose: Whose, topic: str, partition: int, before: int) -> Snapshot | None:
    """The newest whole snapshot of ``whose`` with readings of ``topic`` before offset ``before`` alone; None without one.

    Raises :class:`RegistryError` when the registry cannot be read.
    """
    for path in reversed(registry.entries(whose.client_id, whose.machine_id, whose.stack)):
        found = snapshot_at(registry, path, topic, partition, before)
        if found is not None:
            return found
    return None


def snapshot_at(
    registry: Registry, path: str, topic: str, partition: int, before: float = float("inf")
) -> Snapshot | None:
    """The snapshot of the entry at ``path``, if it is whole and holds readings of ``topic`` before offset ``before`` alone.

    Raises :class:`RegistryError` when the registry cannot be read.
    """
    with contextlib.suppress(DamagedEntry, StateError):
        manifest = registry.manifest(path)
        source, offset = manifest.source, manifest.state_offset
        if (
            source is None
            or (source.topic, source.partition) != (topic, partition)
            or offset is None
            or offset >= before
        ):
            return None
        packed = registry.state(path)
        return None if packed is None else Snapshot.unpack(packed)
    return None
