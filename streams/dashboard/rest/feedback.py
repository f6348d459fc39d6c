"""``POST /feedback``: what people say, durable on its topic before it is answered, and once however often it is sent."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Final, Protocol
from weakref import WeakValueDictionary

from fastapi import APIRouter, Header
from starlette.requests import Request

from schemas.api import FeedbackGiven
from schemas.errors import RefusedRequest
from schemas.feedback import Feedback
from schemas.times import moment
from streams.dashboard.access import audit
from streams.dashboard.rest.known import Asking, Known
from streams.dashboard.rest.machines import require_machine
from streams.dashboard.rest.problems import problems, unknown_machine
from streams.dashboard.rest.said import feedback_of, same
from streams.dashboard.viewer import Viewer

#: What was sent and may not have come back from the topic yet is known so far back.
_MOST_SENT: Final = 1_000
_SHOWN_WITHIN_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.02


class SendsFeedback(Protocol):
    """What makes feedback durable."""

    async def send(self, said: Feedback) -> None:
        """Return when it is. Raises :class:`schemas.errors.BrokerError`."""
        ...


class Saying:
    """Sends feedback, each id once: who sends the same again gets what came of the first time."""

    def __init__(self, known: Known, sender: SendsFeedback) -> None:
        self._known, self._sender = known, sender
        self._sent: OrderedDict[str, Feedback] = OrderedDict()  # on its way, or back from the topic soon
        self._of_an_id: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def say(self, said: Feedback) -> Feedback:
        """Send ``said`` unless it was sent before; what was. Raises :class:`RefusedRequest` where that was another."""
        lock = self._of_an_id.get(said.feedback_id) or self._of_an_id.setdefault(said.feedback_id, asyncio.Lock())
        async with lock:  # the same twice at the same time is one behind the other
            before = self._before(said.feedback_id)
            if before is None:
                await self._sender.send(said)
                self._sent[said.feedback_id] = said
                while len(self._sent) > _MOST_SENT:
                    self._sent.popitem(last=False)
        if before is not None and not same(said, before):
            raise RefusedRequest(
                409,
                "key-used",
                f"Idempotency-Key {said.feedback_id} was used before, for other feedback: take a new one for what is new",
            )
        await self._until_shown(said.feedback_id)
        return before or said

    def _before(self, feedback_id: str) -> Feedback | None:
        return self._sent.get(feedback_id) or self._known.picture.incidents.said.get(feedback_id)

    async def _until_shown(self, feedback_id: str) -> None:
        """Wait for it to come back from the topic, so that who asks next is shown it."""
        try:
            async with asyncio.timeout(_SHOWN_WITHIN_S):
                while feedback_id not in self._known.picture.incidents.said:
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            return  # it is durable, and will be shown


def feedback_router(known: Known, saying: Saying, new_id: Callable[[], str]) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["feedback"])

    @router.post("/feedback", status_code=201, response_model=Feedback, responses=problems(403, 404, 409, 503))
    async def give_feedback(
        request: Request,
        asking: Asking,
        given: FeedbackGiven,
        key: Annotated[
            str | None,
            Header(
                alias="Idempotency-Key",
                pattern=r"^[A-Za-z0-9_-]{1,64}$",
                description="Becomes the feedback_id: sent again with the same key it counts once. Without it, one is made.",
            ),
        ] = None,
    ) -> Feedback:
        """Say something about an incident or a machine; `kind` undo takes back what was said."""
        try:
            said = await saying.say(_permitted(asking, given, key))
        except RefusedRequest as refused:
            audit.refused_answer(request, refused, given)
            raise
        audit.answered(request, said)
        return said

    def _permitted(asking: Viewer, given: FeedbackGiven, key: str | None) -> Feedback:
        if not asking.answers:
            raise RefusedRequest(
                403,
                "may-not-answer",
                f"{asking.name} may see and not answer: ask whoever runs wellsentry for the role `answer`",
            )
        if not asking.sees(given.client_id):
            raise unknown_machine(given.client_id, given.machine_id)
        if given.incident_id is None and given.undoes is None:
            require_machine(known, asking, given.client_id, given.machine_id)
        return feedback_of(
            given,
            known.picture.incidents,
            by=asking.name,
            at=moment(known.now_ms()),
            feedback_id=new_id() if key is None else key,
        )

    return router
