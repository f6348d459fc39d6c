"""Who did what at the dashboard, as lines of the log: who signed in or failed to, and what people said."""

from starlette.requests import HTTPConnection

from schemas.api import FeedbackGiven
from schemas.errors import RefusedRequest
from schemas.feedback import Feedback
from streams.dashboard.access.arrival import Arrival
from streams.dashboard.viewer import viewer_of
from streams.log import Throttle, get_logger

log = get_logger(__name__)
_lets_through = Throttle(interval_s=1.0)


def address_of(connection: HTTPConnection) -> str:
    """Of whoever asks, behind all proxies."""
    return connection.client.host if connection.client else ""


def answered(connection: HTTPConnection, said: Feedback) -> None:
    """Feedback is durable on its topic."""
    log.info(
        f"{said.by} said {said.kind} of {said.client_id}/{said.machine_id}",
        action="answer",
        viewer=said.by,
        address=address_of(connection),
        feedback_id=said.feedback_id,
        kind=said.kind,
        client_id=said.client_id,
        machine_id=said.machine_id,
        incident_id=said.incident_id,
        undoes=said.undoes,
    )


def refused_answer(connection: HTTPConnection, why: RefusedRequest, given: FeedbackGiven) -> None:
    """Feedback was not taken."""
    viewer = viewer_of(connection)
    log.warning(
        f"an answer of {viewer.name} was refused: {why.code}",
        action="answer_refused",
        viewer=viewer.name,
        address=address_of(connection),
        code=why.code,
        kind=given.kind,
        client_id=given.client_id,
        machine_id=given.machine_id,
        incident_id=given.incident_id,
    )


def signed_in(name: str, arrival: Arrival) -> None:
    """A session began."""
    log.info(f"{name} signed in", action="sign_in", viewer=name, address=arrival.address)


def signed_out(name: str, arrival: Arrival) -> None:
    """A session was ended."""
    log.info(f"{name} signed out", action="sign_out", viewer=name, address=arrival.address)


def kept_out(why: RefusedRequest, arrival: Arrival) -> None:
    """Somebody was not let in who tried: a wrong token, another site. One line a second of each kind at most."""
    kept_back = _lets_through(why.code)
    if kept_back is None:
        return
    log.warning(
        f"{arrival.address} was not let in: {why.code}",
        action="sign_in_failed" if why.code == "bad-token" else "kept_out",
        code=why.code,
        kept_back=kept_back,
        address=arrival.address,
        path=arrival.path[:200],
    )
