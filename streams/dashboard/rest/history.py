"""``GET /machines/{client}/{machine}/history``: a machine's past in columns, for a chart."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from schemas.api_machine import MachineHistory
from schemas.times import LATEST_MS, Moment, datetime_to_ms
from streams.dashboard.history import History, Past, columns
from streams.dashboard.machines import Key
from streams.dashboard.rest.known import Asking, Known
from streams.dashboard.rest.machines import require_machine
from streams.dashboard.rest.problems import problems
from streams.dashboard.seen import written
from streams.models_admin.difference import anomalous_at

_DAY_MS: Final = 86_400_000
_LONGEST_MS: Final = 400 * _DAY_MS


class HistoryQuery(BaseModel):
    """Which stretch, and how finely."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    stack: str = Field(default="load", max_length=128)
    begin: Moment | None = Field(
        default=None, alias="from", description="From this event time on; a day before `to` if not given."
    )
    end: Moment | None = Field(
        default=None, alias="to", description="Up to, not including; up to the newest label if not given."
    )
    points: int = Field(default=600, ge=10, le=5_000, description="Time is cut into so many buckets.")


def history_router(known: Known, history: History) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["labels"])

    @router.get(
        "/machines/{client}/{machine:path}/history", response_model=MachineHistory, responses=problems(400, 404)
    )
    async def machine_history(
        asking: Asking, client: str, machine: str, query: Annotated[HistoryQuery, Query()]
    ) -> Response:
        """Labels in columns for a chart, out of DynamoDB and, where they are not there yet, out of the dashboard's memory.

        Thinned so that no peak and no anomalous stretch is lost; each point is a label that can be asked about by its id.
        """
        require_machine(known, asking, client, machine)
        key = (client, machine, query.stack)
        from_ms, to_ms = _stretch(known, key, query)
        past = await history.of(key, from_ms, to_ms, query.points)
        answer = {
            "client_id": client,
            "machine_id": machine,
            "stack": query.stack,
            "from_ms": from_ms,
            "to_ms": to_ms,
            "labels": past.labels,
            "gap_ms": past.gap_ms,
            "anomalous_at": anomalous_at(query.stack),
            "note": past.note,
        }
        return Response(await asyncio.to_thread(_written, answer, past), media_type="application/json")

    return router


def _written(answer: dict[str, Any], past: Past) -> bytes:
    return written({**answer, "columns": {**columns(past.track), "gap_before": past.gap_before.tolist()}})


def _stretch(known: Known, key: Key, query: HistoryQuery) -> tuple[int, int]:
    row = known.picture.rows.get(key)
    newest_ms = known.now_ms() if row is None or not row.time_ms else row.time_ms
    to_ms = min(newest_ms + 1 if query.end is None else datetime_to_ms(query.end), LATEST_MS)
    from_ms = to_ms - _DAY_MS if query.begin is None else datetime_to_ms(query.begin)
    return max(0, from_ms, to_ms - _LONGEST_MS), to_ms
