"""``GET /machines`` and ``GET /machines/{client}/{machine}``: what the fleet is like now."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from schemas.api import Machine, MachinePage
from streams.dashboard.machines import Key, Row
from streams.dashboard.rest.cursors import cursor_of, key_of, page_after
from streams.dashboard.rest.known import Asking, Known
from streams.dashboard.rest.orders import Orders
from streams.dashboard.rest.problems import problems, unknown_machine
from streams.dashboard.rest.views import answered_incident, machine_row, urgency_of
from streams.dashboard.viewer import Viewer

Sort = Literal["machine", "urgency", "surprise", "since"]


class MachineQuery(BaseModel):
    """Which rows, and in which order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client: str | None = Field(default=None, description="Of this client alone.")
    machine: str | None = Field(default=None, description="This machine alone.")
    stack: str | None = Field(default=None, description="Of this stack alone.")
    state: str | None = Field(default=None, description="In this state alone: silent, incident, anomalous, normal, ...")
    find: str | None = Field(default=None, max_length=128, description="Whose machine_id holds this, in any case.")
    sort: Sort = Field(
        default="machine",
        description="machine: by client, machine, stack. The others: the most urgent, the most surprising, the longest in "
        "its state first; the order is that of the first page.",
    )
    limit: int = Field(default=500, ge=1, le=1_000)
    cursor: str | None = Field(default=None, max_length=2_000, description="`next` of the page before.")

    def takes(self, row: Row) -> bool:
        """Whether a row is one of them."""
        return (
            self.client in (None, row.client_id)
            and self.machine in (None, row.machine_id)
            and self.stack in (None, row.stack)
            and self.state in (None, row.state)
            and (self.find is None or self.find.casefold() in row.machine_id.casefold())
        )


def machines_router(known: Known, orders: Orders) -> APIRouter:
    """Both routes."""
    router = APIRouter(tags=["machines"])

    @router.get("/machines", response_model=MachinePage, responses=problems(400, 410))
    async def list_machines(asking: Asking, query: Annotated[MachineQuery, Query()]) -> Response:
        """Rows of machines, a page at a time."""
        page, after = _page(known, orders, asking, query)
        now_ms = known.now_ms()
        rows = [machine_row(known.picture, known.areas, key, now_ms) for key in page]
        found = MachinePage(machines=rows, next=after)
        return Response(
            found.model_dump_json(), media_type="application/json"
        )  # by FastAPI it would take twice as long

    @router.get("/machines/{client}/{machine:path}", response_model=Machine, responses=problems(404))
    async def get_machine(asking: Asking, client: str, machine: str) -> Machine:
        """One machine, and its open incidents."""
        require_machine(known, asking, client, machine)
        incidents = known.picture.incidents.cases.values()
        return Machine(
            client_id=client,
            machine_id=machine,
            area=known.areas.get((client, machine)),
            rows=[
                machine_row(known.picture, known.areas, key, known.now_ms())
                for key in known.picture.keys_of(client, machine, None)
            ],
            open_incidents=[
                answered_incident(case)
                for case in incidents
                if (case.incident.client_id, case.incident.machine_id, case.incident.state)
                == (client, machine, "opened")
            ],
        )

    return router


def require_machine(known: Known, asking: Viewer, client: str, machine: str) -> None:
    """Raise :class:`schemas.errors.RefusedRequest` unless the asker may see that machine, and it is there."""
    if not asking.sees(client) or not known.picture.has_machine(client, machine):
        raise unknown_machine(client, machine)


def _page(known: Known, orders: Orders, asking: Viewer, query: MachineQuery) -> tuple[list[Key], str | None]:
    """Keys of a page, and the cursor behind it."""
    rows = known.picture.rows
    if query.sort == "machine":
        keys = sorted(key for key, row in rows.items() if asking.sees(key[0]) and query.takes(row))
        after: Any = None if query.cursor is None else key_of(query.cursor, (str, str, str))
        page, last = page_after(keys, after, query.limit)
        return list(page), None if last is None else cursor_of(last)
    order: Sequence[Key]
    if query.cursor is None:
        order, begin = _sorted(known, asking, query), 0
        name = orders.keep(order) if len(order) > query.limit else ""
    else:
        name, begin = key_of(query.cursor, (str, int))
        order = orders.of(name)
    end = begin + query.limit
    seen = [key for key in order[max(0, begin) : end] if asking.sees(key[0])]  # a cursor may have changed hands
    return seen, cursor_of((name, end)) if end < len(order) else None


def _sorted(known: Known, asking: Viewer, query: MachineQuery) -> list[Key]:
    now_ms = known.now_ms()

    def first(row: Row) -> float:
        if query.sort == "urgency":
            return -urgency_of(known.picture, row, now_ms)
        return -(row.surprise or 0.0) if query.sort == "surprise" else row.since_ms

    found = [(key, row) for key, row in known.picture.rows.items() if asking.sees(key[0]) and query.takes(row)]
    return [key for _, key in sorted((first(row), key) for key, row in found)]
