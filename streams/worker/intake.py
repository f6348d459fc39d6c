"""Records of the readings topic to a batch for the engine; what is no reading becomes a rejection with its reason."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from models.engine.batch import OTHER_TAG, WIDE, ReadingBatch, make_batch
from models.engine.engine import Engine
from schemas.decoding import decode_reading
from schemas.errors import BadReading
from schemas.rejected import Rejected
from schemas.signals import SENTINELS
from schemas.times import iso
from streams.worker.usual import take_in_usual

#: What is kept of a rejected value and key. In base64 they are a third longer, and together they must pass through a broker
#: that takes a megabyte: a message it took from a client must not be one that it does not take from us.
_KEPT_OF_VALUE: Final = 500_000
_KEPT_OF_KEY: Final = 50_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may send."""

    message_bytes: int
    machines_per_client: int  # in one partition


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A run, decoded: readings in the order of their offsets, and what was refused."""

    batch: ReadingBatch
    rejected: Sequence[Rejected]


def take_in_run(records: Sequence[Any], engine: Engine, limits: Limits) -> TakenIn:
    """Decode Kafka records (``key``, ``value``, ``offset``, ``timestamp``, ``topic``, ``partition``)."""
    usual = take_in_usual(records, engine, limits.message_bytes, limits.machines_per_client)
    if usual is not None:
        return TakenIn(usual, ())
    return take_in_any(records, engine, limits)


def take_in_any(records: Sequence[Any], engine: Engine, limits: Limits) -> TakenIn:
    """The same, message by message: whatever they are."""
    vocabulary = engine.vocabulary
    tags = {name: index for index, name in enumerate(vocabulary)}
    slot: list[int] = []
    offset: list[int] = []
    time_ms: list[int] = []
    tag: list[int] = []
    values: list[float] = []
    psi_per_unit: list[float] = []
    bad: list[bool] = []
    rejected: list[Rejected] = []
    known = engine.slots
    nan = math.nan
    for record in records:
        try:
            value, key = record.value, record.key
            if value is None:
                raise BadReading("no_value", "the record has no body")
            if key is None:
                raise BadReading("no_key", "the record has no key; a reading's key is its machine_id")
            if len(value) > limits.message_bytes:
                raise BadReading("too_large", f"{len(value)} bytes, at most {limits.message_bytes} are taken")
            reading = decode_reading(value)
            machine = reading.machine_id
            if key != machine.encode():
                raise BadReading("key_mismatch", f"the key is {key[:128]!r}, the body's machine_id {machine!r}")
            row = known.get((reading.client_id, machine))
            if row is None:
                row = _new_machine(engine, reading.client_id, machine, limits)
        except BadReading as error:
            rejected.append(_reject(record, error))
            continue
        slot.append(row)
        offset.append(record.offset)
        time_ms.append(reading.time_ms)
        factor = reading.psi_per_unit
        found = reading.values
        if factor != 1.0:  # a sentinel is one in any unit, before it is converted
            found = {name: math.inf if number in SENTINELS else number for name, number in found.items()}
        tag.append(WIDE if reading.tag is None else tags.get(reading.tag, OTHER_TAG))
        values.extend([found.get(name, nan) for name in vocabulary])
        psi_per_unit.append(factor)
        bad.append(reading.bad)
    return TakenIn(make_batch(vocabulary, slot, offset, time_ms, tag, values, psi_per_unit, bad), rejected)


def _new_machine(engine: Engine, client_id: str, machine_id: str, limits: Limits) -> int:
    if engine.machines_of.get(client_id, 0) >= limits.machines_per_client:
        raise BadReading(
            "too_many_machines",
            f"client {client_id!r} has {limits.machines_per_client} machines in this partition already; "
            "raise worker.max_machines_per_client if that is right",
        )
    return engine.slot(client_id, machine_id)


def _reject(record: Any, error: BadReading) -> Rejected:
    key, value = (record.key or b"")[:_KEPT_OF_KEY], (record.value or b"")[:_KEPT_OF_VALUE]
    cut = len(key) + len(value) < len(record.key or b"") + len(record.value or b"")
    return Rejected.model_validate(
        {
            "reason": error.reason,
            "detail": f"{error.detail}; of the message only the beginning is kept here" if cut else error.detail,
            "source_topic": record.topic,
            "source_partition": record.partition,
            "source_offset": record.offset,
            "produced_at": None if record.timestamp is None or record.timestamp < 0 else iso(record.timestamp),
            "key": None if record.key is None else base64.b64encode(key).decode(),
            "value": None if record.value is None else base64.b64encode(value).decode(),
        }
    )
