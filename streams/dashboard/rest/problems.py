"""What is answered where something cannot be: RFC 9457, with a sentence that says what to do."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schemas.api import Problem
from schemas.errors import BadReading, BrokerError, RefusedRequest, StoreError, WellsentryError

_MEDIA: Final = "application/problem+json"
_TRY_AGAIN_S: Final = 5


def answer_problems(app: FastAPI) -> None:
    """Have ``app`` answer with problems wherever a request cannot be served."""
    for error, handler in _HANDLERS.items():
        app.add_exception_handler(error, handler)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: with which of them a route may answer, besides 401, 422 and 429.

    >>> sorted(problems(404))
    [401, 404, 422, 429]
    """
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {_MEDIA: schema}}
        for status in (*statuses, 401, 422, 429)
    }


def unknown_machine(client_id: str, machine_id: str) -> RefusedRequest:
    """Of one that is not there, or that the asker may not see: which of the two, nobody is told."""
    return RefusedRequest(
        404,
        "unknown-machine",
        f"there is no machine {machine_id!r} of client {client_id!r} that you may see; GET /api/v1/machines names them",
    )


def unknown_incident(incident_id: str) -> RefusedRequest:
    """The same of an incident."""
    return RefusedRequest(
        404,
        "unknown-incident",
        f"there is no incident {incident_id!r} that you may see; GET /api/v1/incidents names them",
    )


def answered(
    status: int, code: str, detail: str, wrong: Sequence[str] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """A problem as a response."""
    problem = Problem(
        type=f"urn:wellsentry:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        wrong=list(wrong),
    )
    return Response(problem.model_dump_json(), status, headers, _MEDIA)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedRequest)
    return answered(error.status, error.code, str(error), headers=_retry(error.retry_after_s))


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
    return answered(
        422,
        "bad-request",
        f"the request cannot be used: {'; '.join(wrong)}. docs/contract/openapi.json says what it takes",
        wrong,
    )


async def _no_time(_: Request, error: Exception) -> Response:
    return answered(422, "bad-request", f"the request cannot be used: {error}", [str(error)])


async def _gone_wrong(_: Request, error: Exception) -> Response:
    assert isinstance(error, WellsentryError)
    code = "kafka" if isinstance(error, BrokerError) else "dynamodb"
    return answered(503, f"no-{code}", str(error), headers=_retry(_TRY_AGAIN_S))


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answered(error.status_code, f"http-{error.status_code}", error.detail, headers=error.headers)


def _retry(after_s: int | None) -> dict[str, str] | None:
    return None if after_s is None else {"Retry-After": str(after_s)}


_HANDLERS: Final = {
    RefusedRequest: _refused,
    RequestValidationError: _invalid,
    BadReading: _no_time,  # what times are read by raises it
    StoreError: _gone_wrong,
    BrokerError: _gone_wrong,
    HTTPException: _http,
}
