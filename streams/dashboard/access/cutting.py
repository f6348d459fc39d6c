"""Streams that last: cut once their viewer would not be let in any more."""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.types import Message, Receive, Send

#: What a websocket that was open is closed with: sign in again.
SIGNED_OUT: Final = 4401
_LOOK_EVERY_S: Final = 2.0


class CutSocket:
    """A websocket that is closed soon after ``over`` says so, whether or not anything is sent."""

    def __init__(self, over: Callable[[], bool], receive: Receive, send: Send) -> None:
        self._over, self._receive, self._send = over, receive, send
        self._next: asyncio.Future[Message] | None = None
        self._is_open = self._is_cut = False

    async def receive(self) -> Message:
        """What comes next; that it is gone, once it is cut."""
        while not self._is_cut:
            if self._next is None:
                self._next = asyncio.ensure_future(self._receive())
            done, _ = await asyncio.wait((self._next,), timeout=_LOOK_EVERY_S)
            if self._is_open and self._over():
                await self._cut()
            elif done:
                message, self._next = self._next.result(), None
                return message
        return {"type": "websocket.disconnect", "code": SIGNED_OUT}

    async def send(self, message: Message) -> None:
        """Nothing, once it is cut."""
        if self._is_open and not self._is_cut and self._over():
            await self._cut()
        if self._is_cut:
            return
        self._is_open = self._is_open or message["type"] == "websocket.accept"
        await self._send(message)

    async def let_go(self) -> None:
        """Once it is over."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.wait((self._next,))

    async def _cut(self) -> None:
        self._is_cut = True
        await self._send({"type": "websocket.close", "code": SIGNED_OUT, "reason": "signed out"})


def cut_stream(over: Callable[[], bool], send: Send) -> Send:
    """A ``send`` that ends a response without a known end once ``over`` says so, with the next that would be sent."""
    is_stream = is_cut = False

    async def checked(message: Message) -> None:
        nonlocal is_stream, is_cut
        if is_cut:
            return
        if message["type"] == "http.response.start":
            is_stream = not any(name.lower() == b"content-length" for name, _ in message["headers"])
        elif is_stream and message["type"] == "http.response.body" and over():
            is_cut = True
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)

    return checked
