"""``GET /labels/{label_id}`` and ``GET /machines/{client}/{machine}/model``: why a label is what it is."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from schemas.api_machine import Commands, ExplainedLabel, MachineModel
from schemas.errors import LabelNotFound, RefusedRequest
from schemas.times import Moment, datetime_to_ms
from streams.dashboard.commands import replay, reproduce
from streams.dashboard.machines import Row
from streams.dashboard.model_card import model_card
from streams.dashboard.one_label import Near, OneLabel
from streams.dashboard.rest.known import Asking, Known
from streams.dashboard.rest.machines import require_machine
from streams.dashboard.rest.problems import problems
from streams.models_admin.difference import anomalous_at
from streams.reproduce.label_ids import parse_label_id
from streams.reproduce.words import verdict_in_words
from streams.settings import Settings

#: The registry may be far away, and each card reads a dozen of its files.
_CARDS_AT_ONCE: Final = 2


class LabelPlace(BaseModel):
    """Where to look for a label; without it the label's reading is looked for first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client: str | None = Field(default=None, max_length=128)
    machine: str | None = Field(default=None, max_length=128)
    time: Moment | None = Field(default=None, description="Its event time.")

    def near(self) -> Near | None:
        """All three of them, or nothing."""
        if self.client is None or self.machine is None or self.time is None:
            return None
        return Near(self.client, self.machine, datetime_to_ms(self.time))


def one_machine_router(known: Known, one_label: OneLabel, settings: Settings) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["labels"])
    cards = asyncio.Semaphore(_CARDS_AT_ONCE)

    @router.get("/labels/{label_id}", response_model=ExplainedLabel, responses=problems(400, 404, 503))
    async def explain_label(asking: Asking, label_id: str, place: Annotated[LabelPlace, Query()]) -> ExplainedLabel:
        """One label, whole, and how to make it again. Quick where `client`, `machine` and `time` are given."""
        try:
            label, found_in = await one_label.find(parse_label_id(label_id), place.near(), asking)
        except LabelNotFound as error:
            raise RefusedRequest(404, "unknown-label", str(error)) from error
        machines = len(known.picture.rows) // settings.broker.partitions + 1
        return ExplainedLabel(
            label=label,
            found_in="table" if found_in == "table" else "topic",
            said=verdict_in_words(label),
            anomalous_at=anomalous_at(label.stack),
            commands=Commands(reproduce=reproduce(label, found_in), replay=replay(label, machines)),
        )

    @router.get("/machines/{client}/{machine:path}/model", response_model=MachineModel, responses=problems(400, 404))
    async def machine_model(
        asking: Asking, client: str, machine: str, stack: Annotated[str, Query(max_length=128)] = "load"
    ) -> MachineModel:
        """The model that the machine is judged by now, its curve, and others that may be put in force again."""
        require_machine(known, asking, client, machine)
        row = known.picture.rows.get((client, machine, stack)) or Row(client, machine, stack)
        async with cards:
            return await asyncio.to_thread(model_card, settings.registry, row, asking.name)

    return router
