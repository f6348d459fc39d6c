"""Incidents, and what people said about them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from models.feedback import standing
from schemas.feedback import Feedback
from schemas.times import datetime_to_ms
from streams.dashboard.seen import IncidentSeen


@dataclass(slots=True)
class Case:
    """One incident with all that was said about it, in the order of the topic."""

    incident: IncidentSeen
    said: list[Feedback] = field(default_factory=list)

    def standing(self) -> list[Feedback]:
        """What counts of what was said."""
        return standing(self.said)


@dataclass(frozen=True, slots=True)
class Answer:
    """What people made of an incident, in short."""

    verdict: str | None  # confirm or false_alarm
    acknowledged_by: str | None
    shelved_until: datetime | None
    comments: int

    def is_shelved(self, now_ms: int) -> bool:
        """Whether it is to be quiet still."""
        return self.shelved_until is not None and datetime_to_ms(self.shelved_until) > now_ms


def answer(said: Iterable[Feedback]) -> Answer:
    """The latest word on each question, of feedback that counts."""
    verdict = acknowledged_by = until = None
    comments = 0
    for one in said:
        if one.kind in ("confirm", "false_alarm"):
            verdict = one.kind
        elif one.kind == "acknowledge":
            acknowledged_by = one.by
        elif one.kind == "shelve":
            until = one.until
        comments += one.text is not None
    return Answer(verdict, acknowledged_by, until, comments)


class Incidents:
    """All incidents of the topic's retention, by id.

    Feedback may come before its incident, for topics are read side by side.
    """

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.about_machines: dict[tuple[str, str], list[Feedback]] = {}
        self._early: dict[str, list[Feedback]] = {}
        self.said: dict[str, Feedback] = {}  # by id: a topic holds it twice when sending was tried again

    def take_incident(self, incident: IncidentSeen) -> bool:
        """Opened, or closed; whether anything is new. One that is closed stays closed: an opening sent again is late."""
        case = self.cases.get(incident.incident_id)
        if case is None:
            self.cases[incident.incident_id] = Case(incident, self._early.pop(incident.incident_id, []))
            return True
        if case.incident == incident or case.incident.state == "closed":
            return False
        case.incident = incident
        return True

    def take_feedback(self, said: Feedback) -> bool:
        """Somebody said something; whether it is new."""
        if said.feedback_id in self.said:
            return False
        self.said[said.feedback_id] = said
        if said.incident_id is None:
            self.about_machines.setdefault((said.client_id, said.machine_id), []).append(said)
        elif (case := self.cases.get(said.incident_id)) is not None:
            case.said.append(said)
        else:
            self._early.setdefault(said.incident_id, []).append(said)
        return True
