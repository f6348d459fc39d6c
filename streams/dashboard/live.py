"""Websockets to pages: what changed, every tick, and nothing while nothing did.

A browser that is slow to take a message gets the next one later, with all that changed meanwhile in it: nothing waits in
the server for it, and nobody waits for it.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from streams.dashboard.live_rows import LiveRows
from streams.dashboard.viewer import Viewer, viewer_of


def live_router(rows: LiveRows, caught_up: asyncio.Event, tick_s: float) -> APIRouter:
    """``/live/fleet``."""
    router = APIRouter()

    @router.websocket("/live/fleet")
    async def fleet(socket: WebSocket) -> None:
        viewer = viewer_of(socket)
        await socket.accept()
        await caught_up.wait()
        await _until_gone(socket, _send_rows(socket, viewer))

    async def _send_rows(socket: WebSocket, viewer: Viewer) -> None:
        version = rows.version
        await socket.send_text(rows.whole(viewer).decode())
        while True:
            await asyncio.sleep(tick_s)
            now = rows.version
            if (changed := rows.since(viewer, version)) is not None:
                await socket.send_text(changed.decode())
            version = now

    return router


async def _until_gone(socket: WebSocket, sending: Coroutine[Any, Any, None]) -> None:
    """Send until the browser goes away: only who listens hears that."""
    task = asyncio.create_task(sending)
    with contextlib.suppress(WebSocketDisconnect):
        listening = asyncio.create_task(_listen(socket))
        await asyncio.wait((task, listening), return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
        await task


async def _listen(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
