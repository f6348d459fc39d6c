"""``GET /incidents`` and ``GET /incidents/{id}``: incidents with what people said."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from schemas.api import AnsweredIncident, IncidentPage
from schemas.times import Moment, datetime_to_ms
from streams.dashboard.incidents import Case
from streams.dashboard.rest.cursors import cursor_of, key_of, page_after
from streams.dashboard.rest.known import Asking, Known
from streams.dashboard.rest.problems import problems, unknown_incident
from streams.dashboard.rest.views import answered_incident, cases_seen
from streams.dashboard.seen import IncidentSeen


class IncidentQuery(BaseModel):
    """Which incidents."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Literal["open", "closed"] | None = Field(
        default=None, description="Those alone that are open, or closed, now."
    )
    client: str | None = Field(default=None, description="Of this client alone.")
    machine: str | None = Field(default=None, description="Of this machine alone.")
    stack: str | None = Field(default=None, description="Of this stack alone.")
    since: Moment | None = Field(
        default=None, description="Those alone that were open then or opened later (event time)."
    )
    limit: int = Field(default=200, ge=1, le=1_000)
    cursor: str | None = Field(default=None, max_length=2_000, description="`next` of the page before.")

    def takes(self, incident: IncidentSeen) -> bool:
        """Whether it is one of them."""
        return (
            self.state in (None, "closed" if incident.state == "closed" else "open")
            and self.client in (None, incident.client_id)
            and self.machine in (None, incident.machine_id)
            and self.stack in (None, incident.stack)
            and (self.since is None or incident.closed_at is None or incident.closed_at >= self.since)
        )


def incidents_router(known: Known) -> APIRouter:
    """Both routes."""
    router = APIRouter(tags=["incidents"])

    @router.get("/incidents", response_model=IncidentPage, responses=problems(400))
    async def list_incidents(asking: Asking, query: Annotated[IncidentQuery, Query()]) -> IncidentPage:
        """Incidents, those first that opened last; a page at a time."""
        found = {_place(case): case for case in cases_seen(known.picture, asking) if query.takes(case.incident)}
        after: Any = None if query.cursor is None else key_of(query.cursor, (int, str))
        page, last = page_after(sorted(found), after, query.limit)
        return IncidentPage(
            incidents=[answered_incident(found[place]) for place in page],
            next=None if last is None else cursor_of(last),
        )

    @router.get("/incidents/{incident_id}", response_model=AnsweredIncident, responses=problems(404))
    async def get_incident(asking: Asking, incident_id: str) -> AnsweredIncident:
        """One incident."""
        case = known.picture.incidents.cases.get(incident_id)
        if case is None or not asking.sees(case.incident.client_id):
            raise unknown_incident(incident_id)
        return answered_incident(case)

    return router


def _place(case: Case) -> tuple[int, str]:
    """Its place in an order in which it stays: an incident opens once."""
    return -datetime_to_ms(case.incident.opened_at), case.incident.incident_id
