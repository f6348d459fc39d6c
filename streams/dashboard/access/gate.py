"""The gate: pure ASGI and outermost, so that pages, REST, events, socket.io and every websocket pass it.

Whoever comes further is known under ``scope["viewer"]``, their address under ``scope["client"]``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.errors import RefusedRequest
from streams.dashboard.access import audit
from streams.dashboard.access.arrival import Arrival, Proxies, arrival_of, without_proxy_headers
from streams.dashboard.access.bodies import Gone, again, body_of
from streams.dashboard.access.cutting import CutSocket, cut_stream
from streams.dashboard.access.identity import BadToken, Identity, Knows
from streams.dashboard.access.limits import Limits
from streams.dashboard.access.other_sites import require_known_host, require_own_site
from streams.dashboard.access.protection import ASSETS, NONCE, protected
from streams.dashboard.access.refusing import refuse
from streams.dashboard.access.signing_in import PATHS, SigningIn
from streams.dashboard.viewer import MAY_SIGN_OUT

_MOST_BODY_BYTES: Final = 65_536
_MOST_SOCKET_IO_BYTES: Final = 1_000_000
_SOCKET_IO: Final = "/_nicegui_ws/"
_NO_PAGE: Final = ("/api/", _SOCKET_IO)
_WITHOUT_BODY: Final = ("GET", "HEAD", "OPTIONS")
_NOT_SIGNED_IN: Final = "not-signed-in"
_FEEDBACK: Final = "/api/v1/feedback"


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides who comes in."""

    knows: Knows
    signing_in: SigningIn | None  # None: nobody has to
    proxies: Proxies
    hosts: frozenset[str]
    limits: Limits
    new_nonce: Callable[[], str]


class Gate:
    """Before everything else."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        nonce = self._rules.new_nonce()
        arrival = arrival_of(scope, self._rules.proxies)
        send = protected(send, arrival.path, nonce)
        try:
            identity, receive = await self._admitted(arrival, receive)
            if arrival.path in PATHS:
                response = self._signing(arrival, identity, await body_of(arrival, receive, _MOST_BODY_BYTES), nonce)
                await response(scope, receive, send)
                return
            viewer = self._require_viewer(arrival, identity)
        except RefusedRequest as refused:
            if refused.code != _NOT_SIGNED_IN:
                audit.kept_out(refused, arrival)
            await refuse(refused, arrival, nonce, scope, receive, send)
            return
        except Gone:
            return
        await self._serve(viewer, self._passed(scope, arrival, viewer, nonce), receive, send)

    async def _serve(self, identity: Identity, scope: Scope, receive: Receive, send: Send) -> None:
        """For as long as they would be let in."""

        def over() -> bool:
            return not identity.goes_on()

        if scope["type"] == "http":
            await self._app(scope, receive, cut_stream(over, send))
            return
        socket = CutSocket(over, receive, send)
        with self._rules.limits.socket_of(identity.viewer.name):
            try:
                await self._app(scope, socket.receive, socket.send)
            finally:
                await socket.let_go()

    async def _admitted(self, arrival: Arrival, receive: Receive) -> tuple[Identity | None, Receive]:
        """Who it is, if it is anybody, once it is sure that no other site is behind it, and with the body read."""
        rules = self._rules
        require_known_host(arrival, rules.hosts)
        if not arrival.path.startswith(ASSETS):
            rules.limits.request_from(arrival.address)
        identity = self._identified(arrival)
        if identity is None or identity.by != "token":
            require_own_site(
                arrival, rules.hosts, by_credentials_of_the_browser=identity is not None and identity.by_browser
            )
        if arrival.kind == "http" and arrival.method not in _WITHOUT_BODY:
            most = _MOST_SOCKET_IO_BYTES if arrival.path.startswith(_SOCKET_IO) else _MOST_BODY_BYTES
            receive = again(await body_of(arrival, receive, most), receive)
        return identity, receive

    def _identified(self, arrival: Arrival) -> Identity | None:
        try:
            return self._rules.knows.of(arrival)
        except BadToken:
            self._rules.limits.failure_from(arrival.address)
            raise

    def _signing(self, arrival: Arrival, identity: Identity | None, body: bytes, nonce: str) -> Response:
        if self._rules.signing_in is None:
            return RedirectResponse("/", HTTPStatus.SEE_OTHER)
        return self._rules.signing_in.answer(arrival, identity, body, nonce)

    def _require_viewer(self, arrival: Arrival, identity: Identity | None) -> Identity:
        """Raise :class:`RefusedRequest` for nobody, and where somebody asks too much."""
        if identity is None:
            raise RefusedRequest(
                401, _NOT_SIGNED_IN, "sign in at /sign-in, or send Authorization: Bearer with a token of yours"
            )
        limits, viewer = self._rules.limits, identity.viewer.name
        if arrival.kind == "websocket":
            limits.request_of(viewer)
            limits.require_room(viewer)
        elif arrival.path == _FEEDBACK and arrival.method == "POST":
            limits.answer_of(viewer)
        elif arrival.path.startswith((*_NO_PAGE, *ASSETS)):
            if not arrival.path.startswith(ASSETS):
                limits.request_of(viewer)
        else:
            limits.page_of(viewer)
        return identity

    def _passed(self, scope: Scope, arrival: Arrival, identity: Identity, nonce: str) -> Scope:
        scheme = scope["scheme"] if arrival.kind == "websocket" else "https" if arrival.is_https else "http"
        return {
            **scope,
            "viewer": identity.viewer,
            MAY_SIGN_OUT: identity.session is not None,
            "client": (arrival.address, 0),
            "scheme": scheme,
            "headers": without_proxy_headers(scope["headers"], self._rules.proxies),
            NONCE: nonce,
        }
