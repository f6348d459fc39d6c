"""What every response tells the browser: run nothing but our own scripts, frame us nowhere, keep no data."""

from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Where the gate leaves what scripts of this response must be marked with.
NONCE: Final = "wellsentry.nonce"
#: NiceGUI makes functions of texts ('unsafe-eval') and sets styles on elements.
_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'nonce-%s' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer browsers would give `null` as the origin of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
#: Written once for all who look, and the same for each: files of the packages.
ASSETS: Final = ("/_nicegui/", "/static/", "/favicon.ico")


def protected(send: Send, path: str, nonce: str) -> Send:
    """A ``send`` that adds these headers."""

    async def with_headers(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=_with_list(message))
            for name, value in _ALWAYS.items():
                headers[name] = value
            headers["Content-Security-Policy"] = _POLICY % nonce
            if not path.startswith(ASSETS):
                headers["Cache-Control"] = "no-store"
            elif "cache-control" not in headers:
                headers["Cache-Control"] = "no-cache"  # asks each time whether it is still the same
            # python-socketio answers foreign origins with these; they do not get here, and shall not read from here.
            for name in list(headers):
                if name.startswith("access-control-"):
                    del headers[name]
        await send(message)

    return with_headers


def _with_list(message: Message) -> Message:
    message["headers"] = list(message.get("headers", ()))
    return message


class MarkedScripts:
    """Marks the scripts of pages as our own, inside of what packs pages (pure ASGI).

    What is not ours cannot be marked by it: NiceGUI writes all that comes from data with ``<`` as ``&lt;``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        nonce = scope.get(NONCE)
        if scope["type"] != "http" or nonce is None:
            await self._app(scope, receive, send)
            return
        page: list[Any] = []

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                page.append(message)
            elif page:
                page.append(message.get("body", b""))
                if not message.get("more_body", False):
                    await _send_page(page[0], b"".join(page[1:]), nonce, send)
                    page.clear()
            else:
                await send(message)

        await self._app(scope, receive, marked)


def _is_page(start: Message) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in start["headers"])


async def _send_page(start: Message, body: bytes, nonce: str, send: Send) -> None:
    body = body.replace(b"<script", b'<script nonce="%b"' % nonce.encode())
    MutableHeaders(scope=_with_list(start))["content-length"] = str(len(body))
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
