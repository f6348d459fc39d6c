"""Rows as they go to a browser: lists in the order of :data:`COLUMNS`. Pure.

Names in each of 5,000 rows would be half of all that is sent.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from schemas.times import iso
from streams.dashboard.incidents import Answer
from streams.dashboard.machines import Row
from streams.dashboard.seen import IncidentSeen
from streams.dashboard.urgency import urgency, why

COLUMNS: Final = (
    "id",
    "client",
    "machine",
    "stack",
    "state",
    "since_ms",
    "time_ms",
    "heard_ms",
    "signals",
    "value",
    "median",
    "expected_low",
    "expected_high",
    "surprise",
    "spark",
    "incident",
    "verdict",
    "acknowledged_by",
    "shelved_until",
    "rung",
    "fitted_ms",
    "digest",
    "label_id",
    "area",
    "urgency",
    "why",
)

_TOP_SURPRISE: Final = 6.0


def row_id(client_id: str, machine_id: str, stack: str) -> str:
    """What names a row: no part of it holds a control character."""
    return f"{client_id}\x1f{machine_id}\x1f{stack}"


def row_key(identifier: str) -> tuple[str, str, str] | None:
    """The key of the row that is named so; None where it names none.

    >>> row_key(row_id("acme", "well-7", "load"))
    ('acme', 'well-7', 'load')
    """
    parts = identifier.split("\x1f")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def spark(surprises: Iterable[float | None]) -> str:
    """Surprises as digits from 0 to 9, a dot where there is none; 9 is a surprise of 6 and more.

    >>> spark([0.0, 3.0, None, 8.0])
    '04.9'
    """
    return "".join(
        "." if one is None else str(int(min(max(one, 0.0), _TOP_SURPRISE) * 9 / _TOP_SURPRISE)) for one in surprises
    )


def wire_row(
    row: Row, incident: IncidentSeen | None, answer: Answer | None, area: str | None, now_ms: int
) -> list[Any]:
    """One row; ``answer`` is what people made of its ``incident``."""
    shelved: datetime | None = answer.shelved_until if answer else None
    return [
        row_id(row.client_id, row.machine_id, row.stack),
        row.client_id,
        row.machine_id,
        row.stack,
        row.state,
        row.since_ms,
        row.time_ms,
        row.heard_ms,
        row.signals,
        _short(row.value),
        _short(row.median),
        _short(row.expected_low),
        _short(row.expected_high),
        _short(row.surprise),
        spark(row.surprises),
        row.incident_id,
        answer.verdict if answer else None,
        answer.acknowledged_by if answer else None,
        iso(round(shelved.timestamp() * 1000)) if shelved else None,
        row.model_rung,
        row.fitted_ms,
        row.model_digest,
        row.label_id,
        area,
        urgency(row, incident, answer, now_ms),
        why(row, incident, answer),
    ]


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
