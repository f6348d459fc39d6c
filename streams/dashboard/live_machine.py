"""One machine on its way to browsers: how it stands now, the labels that came, and its incidents."""

from dataclasses import dataclass
from typing import Any, Final

from streams.dashboard.history import columns
from streams.dashboard.live_incidents import wire_incident
from streams.dashboard.live_rows import LiveRows
from streams.dashboard.machines import Key
from streams.dashboard.picture import Picture
from streams.dashboard.recent import Recent
from streams.dashboard.seen import written

#: Of a machine's incidents the newest so many.
_MOST_INCIDENTS: Final = 200
#: A browser that was away for more labels than this loads the history again.
_MOST_LABELS: Final = 2_000


@dataclass(slots=True)
class Shown:
    """Up to where one browser has been shown everything."""

    labels: int
    row: int = -1
    incidents: int = -1


class LiveMachine:
    """Messages for any number of browsers, each with what changed alone: ``{"row", "labels" | "reload", "incidents"}``."""

    def __init__(self, picture: Picture, rows: LiveRows, recent: Recent) -> None:
        self._picture, self._rows, self._recent = picture, rows, recent

    def knows(self, key: Key) -> bool:
        """Whether there is such a machine and stack."""
        return key in self._picture.rows

    def begin(self) -> Shown:
        """For a browser that is about to load the history."""
        return Shown(self._recent.end)

    def since(self, key: Key, shown: Shown) -> bytes | None:
        """What changed since; None if nothing did."""
        message = {**self._row(key, shown), **self._labels(key, shown), **self._incidents(key, shown)}
        return written(message) if message else None

    def _row(self, key: Key, shown: Shown) -> dict[str, Any]:
        version = self._picture.rows_changed.of(key)
        if version == shown.row or key not in self._picture.rows:
            return {}
        shown.row = version
        return {"row": self._rows.named(key)}

    def _labels(self, key: Key, shown: Shown) -> dict[str, Any]:
        came = self._recent.since(key, shown.labels)
        shown.labels = self._recent.end
        if came is None or len(came) > _MOST_LABELS:
            return {"reload": True}
        return {"labels": columns(came)} if len(came) else {}

    def _incidents(self, key: Key, shown: Shown) -> dict[str, Any]:
        latest = self._picture.incidents_changed.latest
        cases = self._picture.incidents.cases
        if shown.incidents < 0:
            mine = [case for case in cases.values() if _is_of(case.incident, key)]
            found = sorted(mine, key=lambda case: case.incident.opened_at)[-_MOST_INCIDENTS:]
        else:
            changed = self._picture.incidents_changed.since(shown.incidents)
            found = [cases[one] for one in changed if one in cases and _is_of(cases[one].incident, key)]
        is_first, shown.incidents = shown.incidents < 0, latest
        return {"incidents": [wire_incident(case) for case in found]} if found or is_first else {}


def _is_of(incident: Any, key: Key) -> bool:
    return (incident.client_id, incident.machine_id, incident.stack) == key
