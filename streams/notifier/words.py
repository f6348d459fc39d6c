"""A notice in words, for people: a title and some lines."""

from datetime import datetime

from schemas.notice import IncidentNotice, Notice
from schemas.times import datetime_to_ms, iso


def title_of(notice: Notice) -> str:
    """One line."""
    if not isinstance(notice, IncidentNotice):
        storm = notice.data
        count = storm.opened + storm.closed
        return f"{count:,} incidents of {storm.machines:,} machines at once"
    incident = notice.data
    example = "Example: " if notice.type == "incident.example" else ""
    if incident.state == "closed":
        return f"{example}{incident.machine_id}: {incident.stack} is back to usual"
    surprise = f"surprise {incident.peak_surprise:.1f}"
    return f"{example}{incident.machine_id}: {incident.feature} is {incident.direction}, {surprise}"


def text_of(notice: Notice) -> str:
    """What else there is to know."""
    if isinstance(notice, IncidentNotice):
        incident = notice.data
        lines = [
            f"Client {incident.client_id}, stack {incident.stack}",
            f"{incident.feature} {_number(incident.actual)} at the peak, usual {_number(incident.expected_low)} to "
            f"{_number(incident.expected_high)}, surprise {incident.peak_surprise:.1f}",
            f"Since {_moment(incident.opened_at)}"
            + (f", until {_moment(incident.closed_at)}" if incident.closed_at else ""),
        ]
    else:
        storm = notice.data
        lines = [
            f"{storm.opened:,} opened, {storm.closed:,} closed, from {_moment(storm.first)} to {_moment(storm.last)}",
            "Worst: " + ", ".join(f"{one.machine_id} ({one.peak_surprise:.1f})" for one in storm.worst[:5]),
            "So many at once are more often a gauge, a unit or the network than the wells.",
        ]
    return "\n".join([*lines, *([notice.link] if notice.link else [])])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _moment(value: datetime) -> str:
    return iso(datetime_to_ms(value))
