"""Reading a reading's bytes: a fast way for what nearly all messages look like, the pydantic way for the rest.

Both give the same answer (``tests/schemas/test_decoding.py`` holds them against each other); only the second one knows
aliases, further signals and how to say what is wrong.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, cast

import msgspec
import pydantic_core
from pydantic import ValidationError

from schemas.errors import BadReading
from schemas.readings import DEFAULT_CLIENT, TagReading, WideReading
from schemas.times import datetime_to_ms, number_to_ms
from schemas.units import psi_per


class Decoded(NamedTuple):
    """One reading as the engine takes it: numbers as they came, the pressures' unit beside them."""

    client_id: str
    machine_id: str
    time_ms: int
    tag: str | None  # the signal's name if the reading came by tag
    values: Mapping[str, float]  # by signal; NaN where the sensor gave none
    psi_per_unit: float
    bad: bool  # the sensor's own system says so


class _Common(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    machine_id: str
    time: datetime | int | float
    client_id: str = DEFAULT_CLIENT
    casing_pressure: float | msgspec.UnsetType | None = msgspec.UNSET
    tubing_pressure: float | msgspec.UnsetType | None = msgspec.UNSET
    line_pressure: float | msgspec.UnsetType | None = msgspec.UNSET
    flow_rate: float | msgspec.UnsetType | None = msgspec.UNSET
    unit: str | None = None
    quality: Literal["good", "uncertain", "bad"] = "good"


class Usual(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A wide reading in the form that nearly all have; null and missing signals look alike."""

    machine_id: str
    time: datetime | int | float
    client_id: str = DEFAULT_CLIENT
    casing_pressure: float | None = None
    tubing_pressure: float | None = None
    line_pressure: float | None = None
    flow_rate: float | None = None
    unit: str | None = None
    quality: Literal["good", "uncertain", "bad"] = "good"


#: The signals that :class:`Usual` readings can have.
USUAL_SIGNALS: Final = ("casing_pressure", "tubing_pressure", "line_pressure", "flow_rate")

_decode_usual: Final = msgspec.json.Decoder(Usual).decode_lines
_decode_common: Final = msgspec.json.Decoder(_Common).decode
_MAX_ID: Final = 128


def decode_reading(value: bytes) -> Decoded:
    """The reading in ``value``; :class:`BadReading` with a reason and a sentence if there is none."""
    try:
        common = _decode_common(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_any(value)
    machine_id, client_id = common.machine_id, common.client_id
    if not (is_plain(machine_id) and is_plain(client_id)):
        return _decode_any(value)
    values: dict[str, float] = {}
    if common.casing_pressure is not msgspec.UNSET:
        values["casing_pressure"] = _number(common.casing_pressure)
    if common.tubing_pressure is not msgspec.UNSET:
        values["tubing_pressure"] = _number(common.tubing_pressure)
    if common.line_pressure is not msgspec.UNSET:
        values["line_pressure"] = _number(common.line_pressure)
    if common.flow_rate is not msgspec.UNSET:
        values["flow_rate"] = _number(common.flow_rate)
    if not values:
        return _decode_any(value)
    time = common.time
    return Decoded(
        client_id,
        machine_id,
        datetime_to_ms(time) if isinstance(time, datetime) else number_to_ms(time),
        None,
        values,
        1.0 if common.unit is None or common.unit == "psi" else psi_per(common.unit),
        common.quality == "bad",
    )


def decode_usual(values: Sequence[bytes]) -> list[Usual] | None:
    """All of ``values`` in one go if each is a :class:`Usual` reading; None if any may be something else.

    Identifiers and times are not checked here. A line for each value: a body that holds a line break, and so could pass for
    two, is nothing usual.
    """
    lines = b"\n".join(values)
    if lines.count(b"\n") != len(values) - 1:
        return None
    try:
        found = _decode_usual(lines)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if len(found) == len(values) else None


def is_plain(name: str) -> bool:
    """Whether an identifier needs no second look."""
    return 0 < len(name) <= _MAX_ID and name.isascii() and name.isprintable() and name != "*"


def _number(value: object) -> float:
    return math.nan if value is None else cast(float, value)


def _decode_any(value: bytes) -> Decoded:
    try:
        data: Any = pydantic_core.from_json(value, allow_inf_nan=True, cache_strings=False)
    except (ValueError, RecursionError) as error:
        raise BadReading("not_json", f"not JSON: {error}"[:300]) from error
    if not isinstance(data, dict):
        raise BadReading("not_a_reading", f"a JSON {type(data).__name__}, where a reading is an object")
    form = TagReading if "tag" in data else WideReading
    try:
        reading = form.model_validate(data)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:4])
        raise BadReading("not_a_reading", wrong[:500]) from error
    except (RecursionError, OverflowError) as error:
        raise BadReading("not_a_reading", f"{type(error).__name__}: {error}"[:300]) from error
    if isinstance(reading, TagReading):
        tag, values = reading.tag, {reading.tag: reading.value}
    else:
        tag, values = None, reading.signals
    return Decoded(
        reading.client_id,
        reading.machine_id,
        datetime_to_ms(reading.time),
        tag,
        {name: math.nan if number is None else float(number) for name, number in values.items()},
        1.0 if reading.unit is None else psi_per(reading.unit),
        reading.quality == "bad",
    )
