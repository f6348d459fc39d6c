"""Records of the readings topic to a batch for the engine; what is no reading becomes a rejection with its reason."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from models.engine.batch import OTHER_TAG, WIDE, ReadingBatch, join, make_batch
from models.engine.engine import Engine
from schemas.decoding import decode_reading
from schemas.errors import BadReading
from schemas.rejected import Rejected
from schemas.signals import SENTINELS
from schemas.times import iso
from streams.worker.limits import Limits
from streams.worker.usual import take_in_usual

#: A key is a machine_id of at most 128 characters; of a longer one this much is kept.
_KEY_BYTES: Final = 1_024
_DETAIL_CHARACTERS: Final = 500


#: The engine of a partition, and consecutive Kafka records of it (``key``, ``value``, ``offset``, ``timestamp``).
Part = tuple[Engine, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """Runs, decoded: readings run by run, each in the order of its offsets, and what was refused of each."""

    batch: ReadingBatch
    ends: Sequence[int]  # where in the batch each run ends
    rejected: Sequence[Sequence[Rejected]]


def take_in(parts: Sequence[Part], limits: Limits, topic: str) -> TakenIn:
    """Decode runs of ``topic``, of one partition each: all in a few calls if they are as usual, else one by one."""
    usual = take_in_usual(parts, limits)
    if usual is not None:
        return TakenIn(usual, list(accumulate(len(records) for _, records in parts)), [()] * len(parts))
    taken = [_take_in_run(engine, records, limits, topic) for engine, records in parts]
    batches = [batch for batch, _ in taken]
    return TakenIn(join(batches), list(accumulate(map(len, batches))), [rejected for _, rejected in taken])


def _take_in_run(
    engine: Engine, records: Sequence[Any], limits: Limits, topic: str
) -> tuple[ReadingBatch, Sequence[Rejected]]:
    usual = take_in_usual([(engine, records)], limits)
    return (usual, ()) if usual is not None else take_in_any(engine, records, limits, topic)


def take_in_any(
    engine: Engine, records: Sequence[Any], limits: Limits, topic: str
) -> tuple[ReadingBatch, Sequence[Rejected]]:
    """A run message by message: whatever they are."""
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
            rejected.append(_reject(record, topic, engine.partition, error, limits))
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
    return make_batch(vocabulary, slot, offset, time_ms, tag, values, psi_per_unit, bad), rejected


def _new_machine(engine: Engine, client_id: str, machine_id: str, limits: Limits) -> int:
    no_room = limits.why_no_room(engine, client_id, machine_id)
    if no_room is not None:
        raise BadReading("too_many_machines", no_room)
    return engine.slot(client_id, machine_id)


def _reject(record: Any, topic: str, partition: int, error: BadReading, limits: Limits) -> Rejected:
    """The message as it came, cut where it is longer than any reading: else the broker would not take it, and the worker
    could not go on."""
    value, key, cut = record.value, record.key, ""
    if value is not None and len(value) > limits.message_bytes:
        value, cut = value[: limits.message_bytes], f"; its first {limits.message_bytes} bytes are kept"
    if key is not None and len(key) > _KEY_BYTES:
        key, cut = key[:_KEY_BYTES], f"{cut}; of {len(key)} bytes of key the first {_KEY_BYTES} are kept"
    return Rejected.model_validate(
        {
            "reason": error.reason,
            "detail": error.detail[: _DETAIL_CHARACTERS - len(cut)] + cut,
            "source_topic": topic,
            "source_partition": partition,
            "source_offset": record.offset,
            "produced_at": None if record.timestamp is None or record.timestamp < 0 else iso(record.timestamp),
            "key": _base64(key),
            "value": _base64(value),
        }
    )


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
