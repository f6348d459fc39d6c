"""Websockets to pages: what changed, every tick, and nothing while nothing did.

A browser that is slow to take a message gets the next one later, with all that changed meanwhile in it: nothing waits in
the server for it, and nobody waits for it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from streams.dashboard.live_rows import MOST_IN_VIEW, LiveRows
from streams.dashboard.machines import Key
from streams.dashboard.viewer import Viewer, viewer_of
from streams.dashboard.wire import row_key


def live_router(rows: LiveRows, caught_up: asyncio.Event, tick_s: float, rest_tick_s: float) -> APIRouter:
    """``/live/fleet``: rows in view every ``tick_s``, all others every ``rest_tick_s``.

    A browser tells which rows are in view as a JSON list of their ids, whenever that changes.
    """
    router = APIRouter()

    @router.websocket("/live/fleet")
    async def fleet(socket: WebSocket) -> None:
        viewer = viewer_of(socket)
        await socket.accept()
        await caught_up.wait()
        view = _InView()
        await until_gone(socket, _send_rows(socket, viewer, view), view.take)

    async def _send_rows(socket: WebSocket, viewer: Viewer, view: _InView) -> None:
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

    return router


class _InView:
    """Which rows a browser shows just now."""

    def __init__(self) -> None:
        self.keys: frozenset[Key] = frozenset()
        self.shown = 0  # the version up to which they have been sent

    def take(self, text: str) -> None:
        """What the browser says."""
        try:
            named = _names(text)
        except msgspec.MsgspecError:
            return  # not from our page
        self.keys = frozenset(key for name in named[:MOST_IN_VIEW] if (key := row_key(name)) is not None)
        self.shown = 0  # what was not in view until now may have changed unseen


_names: Final = msgspec.json.Decoder(list[str]).decode


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
