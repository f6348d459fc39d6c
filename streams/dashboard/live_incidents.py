"""Incidents on their way to browsers, with what people said: the newest at first, then what changed since."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from schemas.feedback import Feedback
from schemas.times import datetime_to_ms
from streams.dashboard.incidents import Case, answer
from streams.dashboard.picture import Picture
from streams.dashboard.seen import ms_or_none, written
from streams.dashboard.viewer import Viewer

#: Open ones all, and so many of the others: what is older is asked for by REST.
_MOST_CLOSED: Final = 1_000


class LiveIncidents:
    """Messages for any number of browsers: ``{"whole", "version", "incidents"}``."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    @property
    def version(self) -> int:
        """Of the latest change."""
        return self._picture.incidents_changed.latest

    def whole(self, viewer: Viewer) -> bytes:
        """What ``viewer`` may see of the newest."""
        cases = [case for case in self._picture.incidents.cases.values() if viewer.sees(case.incident.client_id)]
        open_ones = [case for case in cases if case.incident.state == "opened"]
        closed = sorted((case for case in cases if case.incident.state != "opened"), key=_opened, reverse=True)
        return self._written([*open_ones, *closed[:_MOST_CLOSED]], whole=True)

    def since(self, viewer: Viewer, version: int) -> bytes | None:
        """What changed after ``version`` for this viewer; None if nothing did."""
        known = self._picture.incidents.cases
        changed = [known[one] for one in self._picture.incidents_changed.since(version) if one in known]
        cases = [case for case in changed if viewer.sees(case.incident.client_id)]
        return self._written(cases, whole=False) if cases else None

    def _written(self, cases: Iterable[Case], *, whole: bool) -> bytes:
        return written({"whole": whole, "version": self.version, "incidents": [wire_incident(case) for case in cases]})


def _opened(case: Case) -> datetime:
    return case.incident.opened_at


def wire_incident(case: Case) -> dict[str, Any]:
    """One incident as pages show it. Times are epoch milliseconds."""
    incident, standing = case.incident, case.standing()
    made = answer(standing)
    counts = {one.feedback_id for one in standing}
    return {
        "id": incident.incident_id,
        "client": incident.client_id,
        "machine": incident.machine_id,
        "stack": incident.stack,
        "state": "open" if incident.state == "opened" else "closed",
        "opened_ms": datetime_to_ms(incident.opened_at),
        "closed_ms": ms_or_none(incident.closed_at),
        "feature": incident.feature,
        "direction": incident.direction,
        "actual": incident.actual,
        "expected_low": incident.expected_low,
        "expected_high": incident.expected_high,
        "peak_surprise": incident.peak_surprise,
        "peak_ms": datetime_to_ms(incident.peak_at),
        "readings": incident.readings,
        "digest": incident.model_digest,
        "rung": incident.model_rung,
        "label_id": incident.label_id,
        "verdict": made.verdict,
        "acknowledged_by": made.acknowledged_by,
        "shelved_until_ms": ms_or_none(made.shelved_until),
        "comments": made.comments,
        "said": [_wire_said(one, counts) for one in case.said],
    }


def _wire_said(said: Feedback, counts: set[str]) -> dict[str, Any]:
    return {
        "id": said.feedback_id,
        "kind": said.kind,
        "by": said.by,
        "at_ms": datetime_to_ms(said.at),
        "text": said.text,
        "until_ms": ms_or_none(said.until),
        "undoes": said.undoes,
        "counts": said.feedback_id in counts or said.kind == "undo",
    }
