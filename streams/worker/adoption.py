"""Putting models in force: only once that is durable, and from an offset that every label can name."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from models.engine.engine import Touched
from schemas.training import ModelUpdate
from streams.log import get_logger
from streams.runs.producing import Record
from streams.worker.partition import Partition

log = get_logger(__name__)


def read_updates(records: Sequence[Any]) -> list[ModelUpdate]:
    """The model updates in a run; the last one of each key. What is none is logged and left out."""
    updates: dict[bytes, ModelUpdate] = {}
    for record in records:
        if not record.value:
            continue
        try:
            updates[record.key or b""] = ModelUpdate.model_validate_json(record.value)
        except ValidationError as error:
            log.warning(
                "not a model update, left out",
                action="model_refused",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                detail=str(error)[:300],
            )
    return list(updates.values())


def adopt(partition: Partition, updates: Sequence[ModelUpdate]) -> list[Record]:
    """Put ``updates`` in force from the partition's next reading on; the changelog records that must be durable first.

    The caller lets no reading of this partition through until they are.
    """
    adopted: list[ModelUpdate] = []
    touched: dict[Touched, None] = {}
    for update in updates:
        try:
            changed = partition.engine.adopt(update, partition.next_offset)
        except ValueError as error:
            log.warning("model does not fit", action="model_refused", machine_id=update.machine_id, detail=str(error))
            continue
        adopted.append(update)
        touched.update(dict.fromkeys(changed))
        log.info(
            "model in force",
            action="model_adopted",
            client_id=update.client_id,
            machine_id=update.machine_id,
            stack=update.stack,
            digest=update.digest,
            rung=update.rung,
            since_offset=partition.next_offset,
            machines=len(changed),
        )
    return list(partition.engine.records(touched, adopted))
