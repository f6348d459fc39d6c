"""Websockets to pages: what changed, every tick, and nothing while nothing did.

A browser that is slow to take a message gets the next one later, with all that changed meanwhile in it: nothing waits in
the server for it, and nobody waits for it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from streams.dashboard.in_view import InView
from streams.dashboard.live_incidents import LiveIncidents
from streams.dashboard.live_rows import LiveRows
from streams.dashboard.seen import written
from streams.dashboard.viewer import Viewer, viewer_of

_HEALTH_EVERY_S: Final = 1.0


def live_router(
    rows: LiveRows,
    incidents: LiveIncidents,
    health: Callable[[Viewer], dict[str, Any]],
    caught_up: asyncio.Event,
    tick_s: float,
    rest_tick_s: float,
) -> APIRouter:
    """``/live/fleet``, ``/live/incidents`` and ``/live/health``.

    Of the fleet rows in view come every ``tick_s`` and all others every ``rest_tick_s``; a browser tells which rows are in
    view as a JSON list of their ids, whenever that changes.
    """
    router = APIRouter()

    @router.websocket("/live/fleet")
    async def fleet(socket: WebSocket) -> None:
        viewer, view = viewer_of(socket), InView()
        await socket.accept()
        await until_gone(socket, _send_rows(socket, viewer, view), view.take)

    async def _send_rows(socket: WebSocket, viewer: Viewer, view: InView) -> None:
        await caught_up.wait()
        all_of = rows.version
        await socket.send_text(rows.whole(viewer).decode())
        rest_s = 0.0
        while True:
            await asyncio.sleep(tick_s)
            rest_s += tick_s
            now = rows.version
            if rest_s >= rest_tick_s:
                changed = rows.since(viewer, all_of)
                all_of, rest_s = now, 0.0
            else:
                changed = rows.in_view(viewer, max(all_of, view.shown), view.keys)
            view.shown = now
            if changed is not None:
                await socket.send_text(changed.decode())

    @router.websocket("/live/incidents")
    async def all_incidents(socket: WebSocket) -> None:
        viewer = viewer_of(socket)
        await socket.accept()
        await until_gone(socket, _send_incidents(socket, viewer), _nothing)

    async def _send_incidents(socket: WebSocket, viewer: Viewer) -> None:
        await caught_up.wait()
        version = incidents.version
        await socket.send_text(incidents.whole(viewer).decode())
        while True:
            await asyncio.sleep(tick_s)
            now = incidents.version
            changed = incidents.since(viewer, version)
            version = now
            if changed is not None:
                await socket.send_text(changed.decode())

    @router.websocket("/live/health")
    async def all_health(socket: WebSocket) -> None:
        viewer = viewer_of(socket)
        await socket.accept()
        await until_gone(socket, _send_health(socket, viewer), _nothing)

    async def _send_health(socket: WebSocket, viewer: Viewer) -> None:
        while True:
            await socket.send_text(written(health(viewer)).decode())
            await asyncio.sleep(_HEALTH_EVERY_S)

    return router


def _nothing(_: str) -> None:
    """What a page says that has nothing to say."""


async def until_gone(socket: WebSocket, sending: Coroutine[Any, Any, None], hear: Callable[[str], None]) -> None:
    """Send until the browser goes away, which only who listens hears; ``hear`` gets what it says."""
    both = [asyncio.create_task(sending), asyncio.create_task(_listen(socket, hear))]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in both:
            task.cancel()
        for ended in await asyncio.gather(*both, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, _GONE):
                raise ended


#: What sending to a browser that has just gone away raises.
_GONE: Final = (WebSocketDisconnect, RuntimeError)


async def _listen(socket: WebSocket, hear: Callable[[str], None]) -> None:
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        if text := message.get("text"):
            hear(text)
