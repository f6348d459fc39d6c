"""What somebody posted, as the feedback that goes to the topic. Pure: who, when and under which id is passed in."""

from datetime import datetime

from pydantic import ValidationError

from schemas.api import FeedbackGiven
from schemas.errors import RefusedRequest
from schemas.feedback import Feedback
from streams.dashboard.incidents import Incidents
from streams.dashboard.rest.problems import unknown_incident
from streams.dashboard.seen import IncidentSeen


def feedback_of(given: FeedbackGiven, incidents: Incidents, *, by: str, at: datetime, feedback_id: str) -> Feedback:
    """The feedback, with what its incident or what it undoes tells filled in.

    Raises :class:`RefusedRequest` where these are not there, or are another machine's, or where the kind needs more.
    """
    fields = given.model_dump()
    if given.undoes is not None:
        earlier = _undone(given, incidents)
        fields["incident_id"] = given.incident_id or earlier.incident_id
        fields["stack"] = given.stack or earlier.stack
    if fields["incident_id"] is not None:
        incident = _incident(given, fields["incident_id"], incidents)
        fields["stack"] = given.stack or incident.stack
        if fields["stack"] != incident.stack:
            raise _mismatch(f"incident {incident.incident_id} is of stack {incident.stack}, not {given.stack}")
        if given.kind != "undo":
            fields["from_time"] = given.from_time or incident.opened_at
            fields["to_time"] = given.to_time or incident.closed_at
    try:
        return Feedback.model_validate({**fields, "by": by, "at": at, "feedback_id": feedback_id})
    except ValidationError as error:
        raise RefusedRequest(
            422, "bad-feedback", "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        ) from error


def same(one: Feedback, other: Feedback) -> bool:
    """Whether two say the same of the same, whenever that was."""
    return one.model_copy(update={"at": other.at, "to_time": other.to_time}) == other


def _incident(given: FeedbackGiven, incident_id: str, incidents: Incidents) -> IncidentSeen:
    case = incidents.cases.get(incident_id)
    if case is None or case.incident.client_id != given.client_id:
        raise unknown_incident(incident_id)
    if case.incident.machine_id != given.machine_id:
        raise _mismatch(f"incident {incident_id} is of machine {case.incident.machine_id}, not {given.machine_id}")
    return case.incident


def _undone(given: FeedbackGiven, incidents: Incidents) -> Feedback:
    earlier = incidents.said.get(given.undoes or "")
    if earlier is None or (earlier.client_id, earlier.machine_id) != (given.client_id, given.machine_id):
        raise RefusedRequest(
            404,
            "unknown-feedback",
            f"there is no feedback {given.undoes!r} about machine {given.machine_id} of client {given.client_id} to undo; "
            "an incident's `feedback` names those there are",
        )
    if given.incident_id not in (None, earlier.incident_id):
        raise _mismatch(f"feedback {given.undoes} is about incident {earlier.incident_id}, not {given.incident_id}")
    return earlier


def _mismatch(what: str) -> RefusedRequest:
    return RefusedRequest(422, "mismatch", f"{what}; say it of the right one")
