"""Which models were in force since when: as labels and state say it, and as the changelog came to say it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from models.engine import codes
from models.engine.engine import Engine
from models.engine.layout import HEAD, core_in, split_key
from models.engine.model_records import unpack_model
from schemas.training import FLEET
from streams.replay.adoptions import Adoption, named_by
from streams.worker.store import OWNER_KEY


def in_state(engine: Engine) -> Iterator[Adoption]:
    """What all machines' state says."""
    for stack in engine.stacks:
        for whose, slot in engine.slots.items():
            found = _of_core(engine.stacks[stack].state.core[slot], *whose, stack)
            if found is not None:
                yield found


def _of_core(core: Any, client: str, machine: str, stack: str) -> Adoption | None:
    if not core["model"]:
        return None
    whose = FLEET if core["rung"] == codes.FLEET else machine
    return Adoption(int(core["model_since"]), client, whose, stack, f"{int(core['model']):016x}")


def not_durable(labels: Sequence[Any], changelog: Iterable[Any]) -> list[str]:
    """Labels that were made before the changelog said that their model is in force.

    Records of both topics bear the time at which they were handed to Kafka; a label's must not be the earlier one. A
    machine that is new takes its fleet's model with its first reading, so there the fleet's own record counts.
    """
    durable_ms: dict[Adoption, int] = {}
    for record in changelog:
        for adoption in _said_by(record):
            durable_ms.setdefault(adoption, record.timestamp)
    wrong = []
    for record in labels:
        adoption = named_by(json.loads(record.value))
        if adoption is not None and not durable_ms.get(adoption, record.timestamp + 1) <= record.timestamp:
            wrong.append(f"label {record.partition}/{record.offset} names {adoption} before that is durable")
    return wrong


def _said_by(record: Any) -> Iterator[Adoption]:
    if not record.value or record.key == OWNER_KEY:
        return
    client, machine, stack, part = split_key(record.key)
    if part == HEAD:
        found = _of_core(core_in(record.value), client, machine, stack)
        if found is not None:
            yield found
    elif machine == FLEET and part.startswith(b"m"):
        model = unpack_model(record.value)
        yield Adoption(model.since_offset, client, machine, stack, model.update.digest)
