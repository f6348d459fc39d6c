"""Notices of incidents, and their ids: the same incidents always give the same bytes and the same id."""

import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from schemas.incidents import Incident
from schemas.notice import IncidentNotice, Storm, StormedMachine, StormNotice

_MOST_WORST: Final = 20
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,150}")


def incident_notice(incident: Incident, dashboard_url: str | None) -> IncidentNotice:
    """The notice of one incident."""
    return IncidentNotice(
        type="incident.opened" if incident.state == "opened" else "incident.closed",
        timestamp=happened_at(incident),
        link=_link(dashboard_url, f"/incidents?incident={quote(incident.incident_id, safe='')}"),
        data=incident,
    )


def storm_notice(incidents: Sequence[Incident], dashboard_url: str | None) -> StormNotice:
    """One notice of many, of one at least."""
    times = [happened_at(one) for one in incidents]
    surprises: dict[tuple[str, str], float] = {}
    for one in incidents:
        machine = (one.client_id, one.machine_id)
        surprises[machine] = max(one.peak_surprise, surprises.get(machine, one.peak_surprise))
    worst = sorted(surprises.items(), key=lambda item: (-item[1], item[0]))[:_MOST_WORST]
    return StormNotice(
        type="incidents.storm",
        timestamp=max(times),
        link=_link(dashboard_url, "/incidents"),
        data=Storm(
            opened=sum(one.state == "opened" for one in incidents),
            closed=sum(one.state == "closed" for one in incidents),
            machines=len(surprises),
            first=min(times),
            last=max(times),
            worst=tuple(
                StormedMachine(client_id=client, machine_id=machine, peak_surprise=surprise)
                for (client, machine), surprise in worst
            ),
            incident_ids=tuple(one.incident_id for one in incidents),
        ),
    )


def notice_id(incidents: Sequence[Incident]) -> str:
    """By which a receiver tells repeats: ``<incident_id>-<state>``, or ``storm-`` and a digest of all of these.

    What no header may hold is replaced by its digest.
    """
    names = [f"{one.incident_id}-{one.state}" for one in incidents]
    if len(names) > 1:
        return f"storm-{_digest(names)}"
    return names[0] if _ID.fullmatch(names[0]) else f"incident-{_digest(names)}"


def happened_at(incident: Incident) -> datetime:
    """Event time of what an incident's message tells."""
    return incident.closed_at if incident.state == "closed" and incident.closed_at else incident.opened_at


def _digest(names: Sequence[str]) -> str:
    return sha256("\n".join(names).encode(errors="surrogatepass")).hexdigest()[:32]


def _link(dashboard_url: str | None, path: str) -> str | None:
    return None if dashboard_url is None else dashboard_url.rstrip("/") + path
