"""``GET /events/labels`` and ``GET /events/incidents``: what comes, as server-sent events."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from schemas.labels import Verdict
from streams.dashboard.events.place import Chosen
from streams.dashboard.events.readers import Readers
from streams.dashboard.events.response import EventStream
from streams.dashboard.events.stream import Events
from streams.dashboard.rest.known import Asking
from streams.dashboard.rest.problems import problems

LastId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=20_000,
        description="Id of the last event that was taken: what came after it follows, without a gap and without a repeat.",
    ),
]


class EventQuery(BaseModel):
    """Which events, and from where."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    client: str | None = Field(default=None, description="Of this client alone.")
    machine: str | None = Field(default=None, description="Of this machine alone.")
    stack: str | None = Field(default=None, description="Of this stack alone.")
    begin: Literal["now", "earliest"] = Field(
        default="now", alias="from", description="Without an id: what comes from now on, or all that the topic holds."
    )
    last_event_id: str | None = Field(
        default=None, max_length=20_000, description="As Last-Event-ID, for a first request of a browser."
    )


class LabelEventQuery(EventQuery):
    """The same of labels."""

    label: Verdict | None = Field(default=None, description="Of this verdict alone.")


def events_router(labels: Events, incidents: Events, readers: Readers) -> APIRouter:
    """Both routes."""
    router = APIRouter(tags=["events"])

    @router.get(
        "/events/labels",
        response_class=EventStream,
        status_code=200,
        responses=_answers("label: a Label as on its topic"),
    )
    async def label_events(
        asking: Asking, query: Annotated[LabelEventQuery, Query()], last_id: LastId = None
    ) -> Response:
        """Labels as they come: events `label`, and `reset` where some are lost."""
        chosen = Chosen(asking, query.client, query.machine, query.stack, query.label)
        return _stream(labels, readers, chosen, query, last_id)

    @router.get(
        "/events/incidents",
        response_class=EventStream,
        status_code=200,
        responses=_answers("incident: an Incident; feedback: a Feedback; both as on their topics"),
    )
    async def incident_events(
        asking: Asking, query: Annotated[EventQuery, Query()], last_id: LastId = None
    ) -> Response:
        """Incidents that open and close, and what people say: events `incident`, `feedback`, `reset` where some are lost."""
        chosen = Chosen(asking, query.client, query.machine, query.stack)
        return _stream(incidents, readers, chosen, query, last_id)

    return router


def _stream(events: Events, readers: Readers, chosen: Chosen, query: EventQuery, last_id: str | None) -> Response:
    viewer = chosen.viewer.name
    readers.require_room(viewer)
    last = last_id or query.last_event_id
    since = None if query.begin == "now" else [0] * len(events.kinds)
    if last is not None:
        since = events.ids.positions(last)
    return EventStream(events.read(chosen, since), partial(readers.one_more, viewer))


def _answers(what: str) -> dict[int | str, dict[str, object]]:
    stream = {"text/event-stream": {"schema": {"type": "string", "description": what}}}
    return {200: {"description": "Events, until one of both sides ends it.", "content": stream}, **problems(400)}
