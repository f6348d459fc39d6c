"""``GET /machines/{client}/{machine}/labels``: labels out of DynamoDB, where they stay after their topic has let them go."""

from collections.abc import Iterable
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from schemas.api import LabelPage
from schemas.labels import Label
from schemas.times import LATEST_MS, Moment, datetime_to_ms
from streams.dashboard.rest.cursors import cursor_of, key_of
from streams.dashboard.rest.known import Asking, Known
from streams.dashboard.rest.machines import require_machine
from streams.dashboard.rest.problems import problems
from streams.dashboard.rest.stored import Stored
from streams.label_store import LabelStore, latest

_DAY_MS = 86_400_000


class LabelQuery(BaseModel):
    """Which labels."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    begin: Moment | None = Field(
        default=None, alias="from", description="From this event time on; a day ago if not given."
    )
    end: Moment | None = Field(default=None, alias="to", description="Up to, not including.")
    stack: str | None = Field(default=None, description="Of this stack alone.")
    limit: int = Field(default=500, ge=1, le=2_000)
    cursor: str | None = Field(default=None, max_length=2_000, description="`next` of the page before.")


def labels_router(known: Known, stored: Stored) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["labels"])

    @router.get("/machines/{client}/{machine:path}/labels", response_model=LabelPage, responses=problems(400, 404, 503))
    async def list_labels(asking: Asking, client: str, machine: str, query: Annotated[LabelQuery, Query()]) -> Response:
        """Labels by event time, a page at a time, some minutes after they were made; until then the events have them."""
        require_machine(known, asking, client, machine)
        after: Any = (-1, -1) if query.cursor is None else key_of(query.cursor, (int, int))
        begin_ms = known.now_ms() - _DAY_MS if query.begin is None else datetime_to_ms(query.begin)
        end_ms = LATEST_MS + 1 if query.end is None else datetime_to_ms(query.end)

        def read(store: LabelStore) -> bytes:
            labels = store.read(client, machine, max(begin_ms, after[0]), end_ms, query.stack)
            return label_page(latest(labels), after, query.limit).model_dump_json().encode()

        return Response(await stored.ask(read), media_type="application/json")

    return router


def label_page(labels: Iterable[Label], after: tuple[int, int], limit: int) -> LabelPage:
    """Of ``labels``, by event time and source offset, those whose place is behind ``after``: ``limit`` of them, or some more.

    A page ends where the place changes, so that the labels of one reading, a stack each, stay together.
    """
    page: list[Label] = []
    last = after
    for place, of_a_reading in groupby(labels, key=_place):
        if place <= after:
            continue
        if len(page) >= limit:
            return LabelPage(labels=page, next=cursor_of(last))
        page += of_a_reading
        last = place
    return LabelPage(labels=page, next=None)


def _place(label: Label) -> tuple[int, int]:
    return datetime_to_ms(label.event_time), label.source_offset
