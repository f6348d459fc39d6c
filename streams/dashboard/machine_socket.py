"""The websocket of a machine's page: every tick what changed of that machine, and nothing while nothing did."""

import asyncio
from typing import Final

from fastapi import APIRouter, WebSocket

from streams.dashboard.live import until_gone
from streams.dashboard.live_machine import LiveMachine
from streams.dashboard.machines import Key
from streams.dashboard.viewer import viewer_of

#: What a socket is closed with where there is no such machine, or none that one may see: of which, nobody is told.
_NO_SUCH_MACHINE: Final = 4404


def machine_socket(live: LiveMachine, caught_up: asyncio.Event, tick_s: float) -> APIRouter:
    """``/live/machine/{client}/{machine}?stack=load``."""
    router = APIRouter()

    @router.websocket("/live/machine/{client}/{machine:path}")
    async def machine(socket: WebSocket, client: str, machine: str, stack: str = "load") -> None:
        viewer = viewer_of(socket)
        await socket.accept()
        await caught_up.wait()
        if not viewer.sees(client) or not live.knows((client, machine, stack)):
            await socket.close(_NO_SUCH_MACHINE)
            return
        await until_gone(socket, _send(socket, (client, machine, stack)), lambda _: None)

    async def _send(socket: WebSocket, key: Key) -> None:
        shown = live.begin()
        while True:
            changed = live.since(key, shown)
            if changed is not None:
                await socket.send_text(changed.decode())
            await asyncio.sleep(tick_s)

    return router
