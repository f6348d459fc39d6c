"""Putting models in force: only once that is durable, and from an offset that every label can name.

A model's record is written while readings go on; only its machine's head, which names it, has to wait for a moment at which
none is judged.
"""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from models.engine.engine import Touched
from models.fitting import digest_of
from schemas.training import ModelUpdate
from streams.log import get_logger
from streams.runs.producing import Record
from streams.worker.partition import Partition

log = get_logger(__name__)


def read_updates(records: Sequence[Any], tell: Callable[..., None] = log.warning) -> list[ModelUpdate]:
    """The model updates in a run; the last one of each key. What is none is told and left out."""
    updates: dict[bytes, ModelUpdate] = {}
    for record in records:
        if not record.value:
            continue
        try:
            update = ModelUpdate.model_validate_json(record.value)
            _check(update, record.key)
        except (ValidationError, ValueError) as error:
            tell(
                "not a model update, left out",
                action="model_refused",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                detail=str(error)[:300],
            )
            continue
        updates[update.key] = update
    return list(updates.values())


def _check(update: ModelUpdate, key: bytes | None) -> None:
    """What the schema cannot say. A model that gets in is written to the changelog: it must be possible to read it back."""
    if key != update.key:
        raise ValueError(f"the key is {key!r:.200}, the model is {update.key!r:.200}")
    digest = digest_of(update.features)
    if digest != update.digest:
        raise ValueError(f"it says digest {update.digest} and has {digest}: it is not the model that was fitted")


def announce(
    partition: Partition, updates: Sequence[ModelUpdate], tell: Callable[..., None] = log.warning
) -> tuple[list[ModelUpdate], list[Record]]:
    """Those of ``updates`` that can be adopted, and records that must be durable before :func:`adopt` takes them.

    What is somebody else's, a stack that is switched off here, is left out; what does not fit is told and left out.
    """
    fitting: list[ModelUpdate] = []
    records: list[Record] = []
    for update in updates:
        if update.stack not in partition.engine.stacks:
            continue
        try:
            _check_place(partition, update)
            records += partition.engine.model_ahead(update)
        except ValueError as error:
            tell("model does not fit", action="model_refused", machine_id=update.machine_id, detail=str(error))
            continue
        fitting.append(update)
    return fitting, records


def adopt(partition: Partition, updates: Sequence[ModelUpdate]) -> list[Record]:
    """Put ``updates``, which were announced, in force from the next reading on; records that must be durable first.

    The caller lets no reading of the partition through until they are.
    """
    touched: dict[Touched, None] = {}
    for update in updates:
        touched.update(dict.fromkeys(partition.engine.adopt(update, partition.next_offset)))
    return list(partition.engine.records(touched, [update for update in updates if update.rung == "fleet"]))


def say_in_force(updates: Sequence[ModelUpdate], since_offset: int) -> None:
    """Log that these models are in force."""
    for update in updates:
        log.info(
            "model in force",
            action="model_adopted",
            client_id=update.client_id,
            machine_id=update.machine_id,
            stack=update.stack,
            digest=update.digest,
            rung=update.rung,
            since_offset=since_offset,
        )


def _check_place(partition: Partition, update: ModelUpdate) -> None:
    """Whether stack and machine can take it, asked before anything changes."""
    wanted = tuple(partition.engine.stacks[update.stack].stack.feature_names)
    brought = tuple(model.feature for model in update.features)
    if brought != wanted:
        raise ValueError(f"model {update.digest} is for features {brought}, stack {update.stack} has {wanted}")
    no_room = partition.why_no_room(update.client_id, update.machine_id) if update.rung == "own" else None
    if no_room is not None:
        raise ValueError(no_room)
