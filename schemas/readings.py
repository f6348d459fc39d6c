"""A reading: what one machine's sensors said at one moment. Two forms travel on one topic.

Wide, all signals of a moment at once::

    {"client_id": "acme", "machine_id": "well-7", "time": "2026-11-24T02:44:10Z",
     "casing_pressure": 412.5, "tubing_pressure": 260.1, "unit": "psi"}

By tag, one signal a message, as SCADA historians send them::

    {"client_id": "acme", "machine_id": "well-7", "time": 1795488250, "tag": "Casing Pressure",
     "value": 28.44, "unit": "bar", "quality": "good"}

This module defines and checks the contract with pydantic. :mod:`schemas.decoding` reads the same messages faster.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.signals import MAX_SIGNALS, is_name, standard_name
from schemas.times import Moment

#: After OPC UA's three severities. ``bad`` values are never used, ``uncertain`` ones are.
Quality = Literal["good", "uncertain", "bad"]

Identifier = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]

#: The client of readings that name none: a company that runs wellsentry for itself.
DEFAULT_CLIENT = "default"

_OWN_FIELDS = frozenset({"client_id", "machine_id", "time", "unit", "quality", "signals", "tag", "value"})
#: An object with more fields is no reading: it is not looked at any closer.
_MOST_FIELDS = MAX_SIGNALS + len(_OWN_FIELDS)
_LONGEST_ALIAS = 256
_FIELD_ALIASES = {"timestamp": "time", "client": "client_id", "machine": "machine_id"}


def _a_number_too(schema: dict[str, Any]) -> None:
    """A time may be an epoch number as well."""
    schema["anyOf"] = [{"type": schema.pop("type"), "format": schema.pop("format")}, {"type": "number"}]


def _signals_at_the_top_too(schema: dict[str, Any]) -> None:
    """A further number at the top level is a further signal, and none has to stand under ``signals``."""
    schema["additionalProperties"] = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    schema["required"].remove("signals")


class _Reading(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True)

    client_id: Identifier = Field(default=DEFAULT_CLIENT, description="Whose machine it is.")
    machine_id: Identifier = Field(description="Which machine; the Kafka key of the message says the same.")
    time: Moment = Field(
        description="When it was measured: ISO 8601 (no zone means UTC) or an epoch number.",
        json_schema_extra=_a_number_too,
    )
    unit: str | None = Field(default=None, max_length=16, description="Unit of the pressures; psi when not given.")
    quality: Quality = Field(default="good", description="What the sensor's own system thinks of the value.")

    @field_validator("machine_id")
    @classmethod
    def _is_no_fleet(cls, name: str) -> str:
        if name == "*":
            raise ValueError("'*' is a client's whole fleet, and no machine's name")
        return name


class WideReading(_Reading):
    """All signals of one moment. At the top level or under ``signals``; any further number is a further signal."""

    model_config = ConfigDict(json_schema_extra=_signals_at_the_top_too)

    signals: dict[str, float | None] = Field(
        min_length=1, max_length=MAX_SIGNALS, description="Value by signal; null where the sensor gave none."
    )

    @model_validator(mode="before")
    @classmethod
    def _gather_signals(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        _check_size(data)
        own: dict[str, Any] = {}
        signals: dict[str, Any] = {}
        for name, value in data.items():
            field = _FIELD_ALIASES.get(name, name)
            if field == "signals":
                if not isinstance(value, dict | None):
                    raise ValueError("signals is no object of numbers by name")
                _check_size(value or {})
                signals |= {_signal(inner): number for inner, number in (value or {}).items()}
            elif field in _OWN_FIELDS:
                own[field] = value
            else:
                signals[_signal(name)] = value
        return {**own, "signals": signals}


class TagReading(_Reading):
    """One signal of one moment."""

    tag: str = Field(description="The signal's name.")
    value: float | None = Field(description="Its value; null where the sensor gave none.")

    @model_validator(mode="before")
    @classmethod
    def _standard_tag(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        _check_size(data)
        data = {_FIELD_ALIASES.get(name, name): value for name, value in data.items()}
        if isinstance(data.get("tag"), str):
            data["tag"] = _signal(data["tag"])
        return data


def _check_size(fields: dict[str, Any]) -> None:
    if len(fields) > _MOST_FIELDS:
        raise ValueError(f"{len(fields)} fields; a reading has at most {MAX_SIGNALS} signals")


def _signal(name: str) -> str:
    if len(name) > _LONGEST_ALIAS:
        raise ValueError(f"{name[:80]!r} … cannot name a signal")
    standard = standard_name(name)
    if not is_name(standard):
        raise ValueError(f"{name[:80]!r} cannot name a signal")
    return standard


Reading = WideReading | TagReading
