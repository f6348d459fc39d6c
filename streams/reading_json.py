"""Wide readings as JSON messages after the contract of :mod:`schemas.readings`, written fast."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from models.batches import WideBatch

_write = msgspec.json.Encoder().encode


class _TagMessage(msgspec.Struct, gc=False):
    client_id: str
    machine_id: str
    time: str
    tag: str
    value: float


@lru_cache(maxsize=256)
def _wide_message(signals: tuple[str, ...]) -> Any:
    """A struct with a field for each signal. Its fields are numbered: a signal may be called as a word of Python's."""
    fields = {f"signal_{index}": name for index, name in enumerate(signals)}
    own = [("client_id", str), ("machine_id", str), ("time", str)]
    return msgspec.defstruct("WideMessage", [*own, *((field, float) for field in fields)], rename=fields, gc=False)


def encode_wide(batch: WideBatch) -> Iterator[tuple[int, bytes]]:
    """One message for each reading, with the index of its machine. What is no number (NaN, infinity) is null."""
    columns = {name: index for index, name in enumerate(batch.signals)}
    makers = []
    for machine in batch.machines:
        picks = [columns[name] for name in machine.signals]
        all_of_them = picks == list(range(len(batch.signals)))
        makers.append(
            (_wide_message(machine.signals), machine.client_id, machine.machine_id, None if all_of_them else picks)
        )
    for index, time, values in zip(batch.machine.tolist(), _iso(batch), _rows(batch), strict=True):
        make, client_id, machine_id, picks_or_all = makers[index]
        if picks_or_all is not None:
            values = tuple(values[pick] for pick in picks_or_all)
        yield index, _write(make(client_id, machine_id, time, *values))


def encode_tags(batch: WideBatch) -> Iterator[tuple[int, bytes]]:
    """One message for each signal of each reading, with the index of the machine."""
    columns = {name: index for index, name in enumerate(batch.signals)}
    for index, time, values in zip(batch.machine.tolist(), _iso(batch), _rows(batch), strict=True):
        machine = batch.machines[index]
        for name in machine.signals:
            yield index, _write(_TagMessage(machine.client_id, machine.machine_id, time, name, values[columns[name]]))


def _rows(batch: WideBatch) -> Iterator[tuple[float, ...]]:
    """The values of each reading, made one by one: thousands of lists at once would keep the garbage collector busy."""
    if not batch.signals:
        return iter([()] * len(batch))
    return zip(*(column.tolist() for column in batch.values.T), strict=True)


def _iso(batch: WideBatch) -> list[str]:
    """Times as ISO 8601 with milliseconds and Z."""
    moments = batch.time_ms.astype("datetime64[ms]")
    texts: list[str] = np.datetime_as_string(moments, unit="ms", timezone="UTC").tolist()
    return texts
