"""Putting an older model in force again: recorded first, then published as it was."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from schemas.errors import UnknownModel
from schemas.training import Activation, ModelUpdate
from streams.models_admin.difference import stack_named
from streams.registry import Registry
from streams.settings import Settings
from streams.trainer.publishing import partitions_of, publish, sending


@dataclass(frozen=True, slots=True)
class Activated:
    """What was done."""

    activation: Activation
    update: ModelUpdate
    partitions: tuple[int, ...]
    record: str  # where the registry keeps it


def activate(
    settings: Settings, registry: Registry, path: str, by: str, why: str, now: datetime, *, pinned: bool
) -> Activated:
    """Put the model with the manifest at ``path`` in force. The topic keeps it for workers that start later.

    Raises :class:`DamagedEntry` if its look-up is not as it was stored, :class:`UnknownModel` if no worker of this version
    could take it, and :class:`BrokerError` if it is recorded and cannot be published: then call it again.
    """
    update = registry.update(path)
    _check_features(update)
    key = (update.client_id, update.machine_id, update.stack)
    before = registry.chosen(*key)
    activation = Activation(
        digest=update.digest,
        manifest=path,
        by=by,
        why=why,
        at=now,
        pinned=pinned,
        replaces=None if before is None else before[1].digest,
    )
    partitions = _partitions(settings, registry, update)
    record = registry.activate(*key, activation)
    update = update.model_copy(update={"activation": activation})
    asyncio.run(_publish(settings, update, partitions))
    return Activated(activation, update, tuple(partitions), record)


async def _publish(settings: Settings, update: ModelUpdate, partitions: list[int]) -> None:
    async with sending(settings) as send:
        await publish(update, partitions, send)


def _partitions(settings: Settings, registry: Registry, update: ModelUpdate) -> list[int]:
    """Where the machine's readings are, as its newest model knows; a topic may have been made anew since this one."""
    newest = registry.latest_whole(update.client_id, update.machine_id, update.stack)
    source = None if newest is None else newest[0].source
    if source is not None and source.topic == settings.topics.readings.name:
        return [source.partition]
    return partitions_of(update, settings.broker.partitions)


def _check_features(update: ModelUpdate) -> None:
    stack = stack_named(update.stack)
    brought = tuple(model.feature for model in update.features)
    if stack is not None and tuple(stack.feature_names) != brought:
        raise UnknownModel(
            f"model {update.digest} is for {', '.join(brought)}, and stack {update.stack} now has "
            f"{', '.join(stack.feature_names)}: no worker of this version takes it"
        )
