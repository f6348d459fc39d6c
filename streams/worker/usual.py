"""The short way in: runs in which every message is a usual one become columns in a few calls over all of them.

It gives what :func:`streams.worker.intake.take_in_any` gives message by message, or None where that has to look closer:
readings by tag, further signals, anything to reject.
"""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.engine.batch import WIDE, ReadingBatch, make_batch
from models.engine.engine import Engine
from schemas.decoding import USUAL_SIGNALS, Usual, decode_usual, is_plain
from schemas.errors import BadReading
from schemas.times import datetime_to_ms, number_to_ms
from schemas.units import psi_per
from streams.worker.limits import Limits

#: Numbers below this are seconds since 1970, see :mod:`schemas.times`; these many all at once.
_SECONDS_BELOW: Final = 4e9


def take_in_usual(parts: Sequence[tuple[Engine, Sequence[Any]]], limits: Limits) -> ReadingBatch | None:
    """The batch of runs of usual readings, none of which is beyond a limit; None if one is not usual."""
    records = [record for _, some in parts for record in some]
    values = [record.value for record in records]
    keys = [record.key for record in records]
    if not values or None in values or None in keys or max(map(len, values)) > limits.message_bytes:
        return None
    readings = decode_usual(values)
    if readings is None or not _keys_agree(keys, readings):
        return None
    try:
        times = _times_ms(readings)
        factors = [1.0 if one.unit is None else psi_per(one.unit) for one in readings]
    except BadReading:
        return None
    vocabulary = parts[0][0].vocabulary
    signals = _signals(readings, vocabulary)
    if signals is None:
        return None
    # Last of all: a machine that is let in by what is refused then would have no state.
    slots: list[int] = []
    for engine, some in parts:
        own = _slots(readings[len(slots) : len(slots) + len(some)], engine, limits)
        if own is None:
            return None
        slots += own
    return make_batch(
        vocabulary,
        slots,
        [record.offset for record in records],
        times,
        [WIDE] * len(readings),
        signals,
        factors,
        [one.quality == "bad" for one in readings],
    )


def _signals(readings: Sequence[Usual], vocabulary: Sequence[str]) -> npt.NDArray[np.float64] | None:
    """The values (n x v), NaN where there is none; None if one of the readings brings no signal at all."""
    asked = [name for name in vocabulary if name in USUAL_SIGNALS]
    columns = [list(map(attrgetter(name), readings)) for name in asked]
    silent = (None,) * len(asked)
    if not asked or silent in zip(*columns, strict=True):
        found = zip(*columns, strict=True) if asked else [silent] * len(readings)
        if any(one == silent and not _has_signals(reading) for one, reading in zip(found, readings, strict=True)):
            return None
    values = np.full((len(readings), len(vocabulary)), np.nan)
    for name, column in zip(asked, columns, strict=True):
        values[:, vocabulary.index(name)] = column
    return values


def _keys_agree(keys: Sequence[bytes], readings: Sequence[Usual]) -> bool:
    """Whether each key says the machine that the body says, all compared at once: no name may hold a line break."""
    names = "\n".join([one.machine_id for one in readings])
    return names.count("\n") == len(keys) - 1 and names.encode() == b"\n".join(keys)


def _slots(readings: Sequence[Usual], engine: Engine, limits: Limits) -> list[int] | None:
    known = engine.slots
    slots: list[Any] = [known.get((one.client_id, one.machine_id)) for one in readings]
    if None not in slots:
        return slots
    for at, one in enumerate(readings):
        if slots[at] is None:
            if not (is_plain(one.machine_id) and is_plain(one.client_id)):
                return None
            if limits.why_no_room(engine, one.client_id, one.machine_id) is not None:
                return None
            slots[at] = engine.slot(one.client_id, one.machine_id)
    return slots


def _times_ms(readings: Sequence[Usual]) -> Sequence[int] | npt.NDArray[np.int64]:
    times = [one.time for one in readings]
    if isinstance(times[0], datetime):
        return [datetime_to_ms(time) if isinstance(time, datetime) else number_to_ms(time) for time in times]
    try:
        seconds = np.array(times, np.float64)
    except (TypeError, OverflowError):  # a datetime among them, or an integer of more digits than a float has room for
        return [datetime_to_ms(time) if isinstance(time, datetime) else number_to_ms(time) for time in times]
    if ((seconds >= 0.0) & (seconds < _SECONDS_BELOW)).all():
        return np.rint(seconds * 1000.0).astype(np.int64)
    return [number_to_ms(time) for time in times if not isinstance(time, datetime)]


def _has_signals(reading: Usual) -> bool:
    """Whether a reading brings any signal at all, be it one that no stack here asks for."""
    return any(getattr(reading, name) is not None for name in USUAL_SIGNALS)
