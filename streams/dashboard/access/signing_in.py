"""What ``/sign-in`` and ``/sign-out`` answer."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, RedirectResponse, Response

from streams.dashboard.access import audit
from streams.dashboard.access.arrival import Arrival
from streams.dashboard.access.cookies import Cookies
from streams.dashboard.access.identity import BadToken, Identity
from streams.dashboard.access.limits import Limits
from streams.dashboard.access.sessions import Sessions
from streams.dashboard.access.sign_in_page import SIGN_IN, SIGN_OUT, go_there_yourself, safe_next, sign_in_form
from streams.dashboard.access.users import Users

PATHS: Final = (SIGN_IN, SIGN_OUT)


class SigningIn:
    """Opens sessions for tokens, and ends them."""

    def __init__(self, users: Callable[[], Users], sessions: Sessions, cookies: Cookies, limits: Limits) -> None:
        self._users, self._sessions, self._cookies, self._limits = users, sessions, cookies, limits

    def answer(self, arrival: Arrival, identity: Identity | None, body: bytes, nonce: str) -> Response:
        """To whoever comes to one of :data:`PATHS`. Raises :class:`RefusedRequest` after too many failed tries."""
        if arrival.path == SIGN_OUT:
            return self._sign_out(arrival, identity)
        if arrival.method == "POST":
            return self._sign_in(arrival, body, nonce)
        then = safe_next(_field(arrival.query, "next"))
        if identity is not None:
            return _go_to(then)
        if arrival.headers.get("sec-fetch-site") == "cross-site":
            return HTMLResponse(go_there_yourself(then, nonce))
        return HTMLResponse(sign_in_form(then, nonce))

    def _sign_in(self, arrival: Arrival, body: bytes, nonce: str) -> Response:
        text = body.decode("utf-8", "replace")
        then = safe_next(_field(text, "next"))
        found = self._users().by_token(_field(text, "token").strip())
        if found is None:
            audit.kept_out(BadToken(), arrival)
            self._limits.failure_from(arrival.address)
            return HTMLResponse(sign_in_form(then, nonce, str(BadToken())), HTTPStatus.UNAUTHORIZED)
        user, key = found
        response = _go_to(then)
        self._cookies.give(response, arrival, self._sessions.open(user.name, key), self._sessions.lasts_s)
        audit.signed_in(user.name, arrival)
        return response

    def _sign_out(self, arrival: Arrival, identity: Identity | None) -> Response:
        if arrival.method != "POST":
            return _go_to("/")
        response = _go_to(SIGN_IN)
        if identity is not None and identity.session is not None:
            self._sessions.end(identity.session)
            audit.signed_out(identity.viewer.name, arrival)
            self._cookies.take_away(response, arrival)
        return response


def _go_to(path: str) -> Response:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def _field(text: str, name: str) -> str:
    """Of a form or a query; empty where it is not there."""
    try:
        return parse_qs(text, max_num_fields=10).get(name, [""])[0]
    except ValueError:
        return ""
