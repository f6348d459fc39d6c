"""All routes under ``/api/v1``, on one application."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiokafka import TopicPartition
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from schemas.topics import TopicDeclaration
from streams.dashboard.events.readers import Readers
from streams.dashboard.events.stream import Events
from streams.dashboard.events.tail import Tail
from streams.dashboard.following import Following
from streams.dashboard.rest.events import events_router
from streams.dashboard.rest.feedback import Saying, SendsFeedback, feedback_router
from streams.dashboard.rest.health import Rate, health_router
from streams.dashboard.rest.incidents import incidents_router
from streams.dashboard.rest.known import Known
from streams.dashboard.rest.labels import labels_router
from streams.dashboard.rest.machines import machines_router
from streams.dashboard.rest.orders import Orders
from streams.dashboard.rest.problems import answer_problems, answered
from streams.dashboard.rest.stored import Stored
from streams.settings import Settings

PREFIX: Final = "/api/v1"
#: The first number is the prefix's; the second grows with what is added.
API_VERSION: Final = "1.0"
_INCIDENTS_TAIL_BYTES: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Tails:
    """The newest records of the topics that are served as events."""

    labels: Tail
    incidents: Tail  # and feedback

    @classmethod
    def of(cls, settings: Settings) -> "Tails":
        """Empty ones."""
        topics = settings.topics
        return cls(
            Tail(_partitions(settings, topics.labels), round(settings.dashboard.events_mb * 1e6)),
            Tail(_partitions(settings, topics.incidents, topics.feedback), _INCIDENTS_TAIL_BYTES),
        )


@dataclass(frozen=True, slots=True)
class Rest:
    """What the routes keep while the dashboard runs."""

    settings: Settings
    known: Known
    following: Following
    tails: Tails
    sender: SendsFeedback
    stored: Stored
    new_id: Callable[[], str]
    rate: Rate = field(default_factory=Rate)
    ending: asyncio.Event = field(default_factory=asyncio.Event)  # set when the dashboard begins to end

    def add_to(self, app: FastAPI) -> None:
        """Put all routes onto ``app``. Below ``/api`` nothing else answers."""
        orders = Orders(self.new_id)
        saying = Saying(self.known, self.sender)
        dashboard = self.settings.dashboard
        readers = Readers(dashboard.streams, dashboard.streams_of_a_viewer)
        for router in (
            labels_router(self.known, self.stored),
            machines_router(self.known, orders),  # behind what is below a machine, whose name may have a slash
            incidents_router(self.known),
            feedback_router(self.known, saying, self.new_id),
            health_router(self.known, self.following, self.rate, readers),
            events_router(self._events("labels"), self._events("incidents"), readers),
        ):
            app.include_router(router, prefix=PREFIX)
        answer_problems(app)

    def _events(self, name: str) -> Events:
        tail: Tail = getattr(self.tails, name)
        kind = {self.settings.topics.feedback.name: b"feedback", self.settings.topics.incidents.name: b"incident"}
        kinds = [kind.get(tp.topic, b"label") for tp in tail.partitions]
        return Events(name, kinds, tail, self.settings.broker, self.following.caught_up, self.ending)


def nothing_else() -> APIRouter:
    """Answers all of ``/api`` that no route before it took."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/api/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def unknown(request: Request, rest: str) -> Response:
        asked = f"{request.method} /api/{rest[:200]}"
        return answered(404, "unknown-address", f"there is no {asked}; {PREFIX}/openapi.json names what there is")

    return router


def _partitions(settings: Settings, *topics: TopicDeclaration) -> list[TopicPartition]:
    return [TopicPartition(one.name, number) for one in topics for number in range(settings.broker.partitions)]
