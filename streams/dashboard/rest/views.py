"""The picture in the words of the contract. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from schemas.api import Answer, AnsweredIncident, MachineRow
from schemas.times import moment
from streams.dashboard import incidents
from streams.dashboard.incidents import Case
from streams.dashboard.machines import Key, Row
from streams.dashboard.picture import Picture
from streams.dashboard.urgency import urgency, why
from streams.dashboard.viewer import Viewer

Areas = Mapping[tuple[str, str], str]


def case_of(picture: Picture, row: Row) -> Case | None:
    """The incident that is open on a row."""
    return picture.incidents.cases.get(row.incident_id) if row.incident_id else None


def said_of(case: Case | None) -> incidents.Answer | None:
    """What people made of it; None while nobody said anything."""
    return incidents.answer(case.standing()) if case is not None and case.said else None


def urgency_of(picture: Picture, row: Row, now_ms: int) -> float:
    """How soon somebody should look at a row."""
    case = case_of(picture, row)
    return urgency(row, case.incident if case else None, said_of(case), now_ms)


def machine_row(picture: Picture, areas: Areas, key: Key, now_ms: int) -> MachineRow:
    """A row as it is now."""
    row = picture.rows[key]
    case, said = case_of(picture, row), said_of(case_of(picture, row))
    incident = case.incident if case else None
    return MachineRow.model_validate(
        {
            "client_id": row.client_id,
            "machine_id": row.machine_id,
            "stack": row.stack,
            "area": areas.get((row.client_id, row.machine_id)),
            "state": row.state,
            "since": moment(row.since_ms),
            "event_time": moment(row.time_ms),
            "heard_at": moment(row.heard_ms),
            "label_id": row.label_id,
            "signals": row.signals,
            "value": row.value,
            "median": row.median,
            "expected_low": row.expected_low,
            "expected_high": row.expected_high,
            "surprise": row.surprise,
            "surprises": list(row.surprises),
            "label": row.label,
            "reason": row.reason,
            "alert": row.alert,
            "incident_id": row.incident_id,
            "answer": None if said is None else _answer(said),
            "urgency": urgency(row, incident, said, now_ms),
            "why": why(row, incident, said),
            "model_digest": row.model_digest,
            "model_rung": row.model_rung,
            "model_fitted_at": None if row.fitted_ms is None else moment(row.fitted_ms),
        }
    )


def answered_incident(case: Case) -> AnsweredIncident:
    """An incident with what counts of what was said."""
    said = case.standing()
    return AnsweredIncident.model_validate(
        {**msgspec.structs.asdict(case.incident), "answer": _answer(incidents.answer(said)), "feedback": said}
    )


def cases_seen(picture: Picture, viewer: Viewer) -> Iterable[Case]:
    """Incidents that ``viewer`` may see."""
    return (case for case in picture.incidents.cases.values() if viewer.sees(case.incident.client_id))


def _answer(said: incidents.Answer) -> Answer:
    fields: dict[str, Any] = {name: getattr(said, name) for name in Answer.model_fields}
    return Answer.model_validate(fields)
