"""Readings out of the readings topic, all of it, without a group: no worker notices."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final

import numpy as np

from models.batches import Floats, Ints, Machine, WideBatch
from schemas.decoding import USUAL_SIGNALS, Decoded, Usual, decode_reading, decode_usual, is_plain
from schemas.errors import BadReading
from schemas.signals import PRESSURES, SENTINELS
from schemas.times import datetime_to_ms, number_to_ms
from schemas.units import psi_per
from streams.explore.gathering import Gathering, Wanted
from streams.partitions import partition_of
from streams.reading_ranges import Bounds, RangeReader
from streams.settings import Settings

#: A reading is sent after it was measured. A clock that is off by more than a day is no clock.
_CLOCKS_DIFFER_MS: Final = 86_400_000


async def gather_topic(
    gathering: Gathering, settings: Settings, wanted: Wanted, now_ms: int, on_progress: Callable[[int], None]
) -> int:
    """All that the topic holds of ``wanted``; how many messages could not be read. Raises :class:`BrokerError`."""
    partitions = None
    if wanted.machine_ids:
        partitions = sorted({partition_of(one, settings.broker.partitions) for one in wanted.machine_ids})
    begin_ms = wanted.from_ms - _CLOCKS_DIFFER_MS if 0 < wanted.from_ms <= now_ms else None
    keys = {one.encode() for one in wanted.machine_ids}
    read = unreadable = 0
    async with RangeReader(settings.broker) as reader:
        ranges = await reader.find(settings.topics.readings.name, Bounds(from_ms=begin_ms, partitions=partitions))
        async for run in reader.read(ranges):
            values = [one.value for one in run.records if not keys or one.key in keys]
            batches, refused = to_batches(values)
            unreadable += refused
            for batch in batches:
                gathering.add(batch)
            read += len(run.records)
            on_progress(read)
    return unreadable


def to_batches(values: Sequence[bytes | None]) -> tuple[list[WideBatch], int]:
    """Messages as wide readings, pressures in psi, in their order; and how many are no readings.

    >>> batches, refused = to_batches([b'{"machine_id": "w", "time": 1600000000, "casing_pressure": 1, "unit": "bar"}', b'{'])
    >>> [batch.values.round(2).tolist() for batch in batches], refused
    ([[[14.5]]], 1)
    """
    there = [value for value in values if value is not None]
    if not there:
        return [], len(values)
    usual = decode_usual(there)
    batch = _of_usual(usual) if usual is not None else None
    if batch is not None:
        return [batch], len(values) - len(there)
    decoded: list[Decoded] = []
    for value in there:
        try:
            decoded.append(decode_reading(value))
        except BadReading:
            continue
    return ([_of_decoded(decoded)] if decoded else []), len(values) - len(decoded)


def _of_usual(readings: Sequence[Usual]) -> WideBatch | None:
    """None if one of them needs a second look."""
    try:
        factor = np.array([1.0 if one.unit is None else psi_per(one.unit) for one in readings])
        times = np.array([_ms(one.time) for one in readings], np.int64)
    except BadReading:
        return None
    names = list(zip(map(attrgetter("client_id"), readings), map(attrgetter("machine_id"), readings), strict=True))
    if not all(is_plain(client) and is_plain(machine) for client, machine in set(names)):
        return None
    columns = [list(map(attrgetter(name), readings)) for name in USUAL_SIGNALS]
    values = np.array(columns, np.float64).T  # null is NaN
    bad = np.array([one.quality == "bad" for one in readings])
    values[bad] = np.nan
    return _batch(names, USUAL_SIGNALS, times, values, factor)


def _ms(time: datetime | float) -> int:
    return datetime_to_ms(time) if isinstance(time, datetime) else number_to_ms(time)


def _of_decoded(readings: Sequence[Decoded]) -> WideBatch:
    signals = tuple(dict.fromkeys(name for one in readings for name in one.values))
    values = np.array(
        [[math.nan if one.bad else one.values.get(name, math.nan) for name in signals] for one in readings]
    )
    times = np.array([one.time_ms for one in readings], np.int64)
    factor = np.array([one.psi_per_unit for one in readings])
    return _batch([(one.client_id, one.machine_id) for one in readings], signals, times, values, factor)


def _batch(
    names: Sequence[tuple[str, str]], signals: Sequence[str], times: Ints, values: Floats, factor: Floats
) -> WideBatch:
    place: dict[tuple[str, str], int] = {}
    machine = np.array([place.setdefault(name, len(place)) for name in names], np.int64)
    if (factor != 1.0).any():
        for index, name in enumerate(signals):
            if name in PRESSURES:  # a sentinel is one in any unit
                column = values[:, index]
                values[:, index] = np.where(np.isin(column, list(SENTINELS)), column, column * factor)
    # Which signals a machine has is seen by its values: here nothing says so.
    machines = tuple(Machine(client_id, machine_id, ()) for client_id, machine_id in place)
    return WideBatch(machines, tuple(signals), machine, times, times, values)
