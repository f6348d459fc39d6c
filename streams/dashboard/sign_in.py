"""Who is let in. Pure ASGI, so that websockets pass it too."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from streams.dashboard.viewer import Viewer

#: Without sign-in the dashboard listens on this machine alone, and whoever is on it may do everything.
SOMEBODY: Final = Viewer("somebody", "answer", None)


class LetEverybodyIn:
    """For a dashboard that listens on this machine alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] in ("http", "websocket"):
            scope["viewer"] = SOMEBODY
        await self._app(scope, receive, send)
