"""How a refusal looks: a problem to programs, a page to people, a status to a websocket."""

import html
from http import HTTPStatus
from typing import Final

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from schemas.errors import RefusedRequest
from streams.dashboard.access.arrival import Arrival
from streams.dashboard.access.sign_in_page import page, path_to_sign_in
from streams.dashboard.rest.problems import answered

_API: Final = "/api/"


def response_to(refused: RefusedRequest, arrival: Arrival, nonce: str) -> Response:
    """Over HTTP."""
    if refused.status == HTTPStatus.UNAUTHORIZED and _is_for_people(arrival):
        return RedirectResponse(path_to_sign_in(arrival.path, arrival.query), HTTPStatus.SEE_OTHER)
    if arrival.path.startswith(_API) or arrival.kind == "websocket":
        response = answered(refused.status, refused.code, str(refused))
    else:
        title = HTTPStatus(refused.status).phrase
        response = HTMLResponse(page(title, f"<p>{html.escape(str(refused))}</p>", nonce), refused.status)
    if refused.retry_after_s is not None:
        response.headers["Retry-After"] = str(refused.retry_after_s)
    if refused.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="wellsentry"'
    return response


async def refuse(
    refused: RefusedRequest, arrival: Arrival, nonce: str, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer whatever came."""
    response = response_to(refused, arrival, nonce)
    if arrival.kind == "http":
        await response(scope, receive, send)
    elif "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": refused.status, "headers": response.raw_headers})
        await send({"type": "websocket.http.response.body", "body": response.body})
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": refused.code})


def _is_for_people(arrival: Arrival) -> bool:
    """A page that somebody goes to, rather than something that a page or a program takes."""
    return (
        arrival.kind == "http"
        and arrival.method in ("GET", "HEAD")
        and "authorization" not in arrival.headers
        and not arrival.path.startswith((_API, "/_nicegui", "/live/", "/static/", "/favicon.ico"))
    )
