"""What a person said, as the message that it becomes. Who, when and under which id is passed in."""

from datetime import datetime

from schemas.feedback import Feedback, FeedbackKind
from schemas.incidents import Incident


def about_incident(
    incident: Incident,
    kind: FeedbackKind,
    *,
    by: str,
    at: datetime,
    feedback_id: str,
    text: str | None = None,
    until: datetime | None = None,
) -> Feedback:
    """Said of an incident: its stretch goes with it, open at its end while the incident is.

    Raises ``pydantic.ValidationError`` where the kind needs something that is not given.
    """
    return Feedback(
        feedback_id=feedback_id,
        client_id=incident.client_id,
        machine_id=incident.machine_id,
        stack=incident.stack,
        incident_id=incident.incident_id,
        kind=kind,
        by=by,
        at=at,
        text=text,
        from_time=incident.opened_at,
        to_time=incident.closed_at,
        until=until,
    )


def undoing(earlier: Feedback, *, by: str, at: datetime, feedback_id: str, text: str | None = None) -> Feedback:
    """That ``earlier`` counts no more; if it is an undo itself, that what it took away counts again."""
    return Feedback(
        feedback_id=feedback_id,
        client_id=earlier.client_id,
        machine_id=earlier.machine_id,
        stack=earlier.stack,
        incident_id=earlier.incident_id,
        kind="undo",
        by=by,
        at=at,
        text=text,
        undoes=earlier.feedback_id,
    )


def about_machine(
    client_id: str,
    machine_id: str,
    kind: FeedbackKind,
    *,
    by: str,
    at: datetime,
    feedback_id: str,
    text: str | None = None,
    until: datetime | None = None,
) -> Feedback:
    """Said of a machine as a whole. Raises ``pydantic.ValidationError`` for what can only be said of a stretch."""
    return Feedback(
        feedback_id=feedback_id,
        client_id=client_id,
        machine_id=machine_id,
        stack=None,
        incident_id=None,
        kind=kind,
        by=by,
        at=at,
        text=text,
        until=until,
    )
