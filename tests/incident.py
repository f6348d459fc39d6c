"""An incident for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.incidents import Incident

_BEGIN = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def an_incident(machine: str, number: int, **other: Any) -> Incident:
    """The ``number``-th of some machine of acme, opened so many seconds after two o'clock."""
    opened_at = _BEGIN + timedelta(seconds=number)
    fields = {
        "incident_id": f"inc-load-0-{number}-0",
        "state": "opened",
        "client_id": "acme",
        "machine_id": machine,
        "stack": "load",
        "opened_at": opened_at,
        "closed_at": None,
        "label_id": f"load-0-{number}-0",
        "feature": "load",
        "direction": "high",
        "actual": 112.5,
        "expected_low": 90.0,
        "expected_high": 105.0,
        "peak_surprise": 3.2,
        "peak_at": opened_at,
        "readings": 1,
        "model_digest": None,
        "model_rung": None,
        "code_version": "0.1.0",
        "git_commit": "unknown",
    }
    return Incident.model_validate({**fields, **other})
