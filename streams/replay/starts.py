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
        with contextlib.suppress(DamagedEntry, StateError):
            manifest = registry.manifest(path)
            source = manifest.source
            if manifest.state_offset is None or source is None or manifest.state_offset >= before:
                continue
            if (source.topic, source.partition) != (topic, partition):
                continue
            packed = registry.state(path)
            if packed is not None:
                return Snapshot.unpack(packed)
    return None
