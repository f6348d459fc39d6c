"""Putting models in force: only once that is durable, and from an offset that every label can name."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from models.engine.engine import FLEET_MACHINE, Touched
from schemas.training import ModelUpdate
from streams.log import get_logger
from streams.runs.producing import Record
from streams.worker.partition import Partition

log = get_logger(__name__)


def read_updates(records: Sequence[Any]) -> list[ModelUpdate]:
    """The model updates in a run; the last one of each key. What is none is left out, with one line in the log."""
    updates: dict[bytes, ModelUpdate] = {}
    refused, last = 0, ""
    for record in records:
        if not record.value:
            continue
        try:
            update = ModelUpdate.model_validate_json(record.value)
            _check(update)
        except (ValidationError, ValueError) as error:
            refused, last = refused + 1, f"{record.topic}/{record.partition}/{record.offset}: {error}"[:300]
            continue
        updates[record.key or b""] = update
    if refused:
        log.warning("no model updates, left out", action="model_refused", records=refused, last=last)
    return list(updates.values())


def _check(update: ModelUpdate) -> None:
    """What the schema does not say."""
    if (update.machine_id == FLEET_MACHINE) != (update.rung == "fleet"):
        raise ValueError(f"machine {update.machine_id!r} cannot have a model of rung {update.rung}")
    for model in update.features:
        if any(here >= there for here, there in pairwise(model.edges)):
            raise ValueError(f"edges of {model.feature!r} do not rise")


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
