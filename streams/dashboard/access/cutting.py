"""Streams that last: cut once their viewer would not be let in any more."""

from collections.abc import Callable

from starlette.types import Message, Receive, Send

from streams.dashboard.access.refusing import SIGNED_OUT


def cut_when(over: Callable[[], bool], receive: Receive, send: Send) -> tuple[Receive, Send]:
    """``receive`` and ``send`` of a websocket, or of a response without an end, that end when ``over`` says so.

    Nothing more is sent from then on, and whoever serves it hears that the browser has gone away.
    """
    state = _State()

    async def checked_send(message: Message) -> None:
        if state.is_cut:
            return
        kind = message["type"]
        if kind == "websocket.accept":
            state.is_open_socket = True
        elif kind == "http.response.start":
            state.is_stream = not any(name.lower() == b"content-length" for name, _ in message["headers"])
        elif over():
            if state.is_open_socket and kind == "websocket.send":
                state.is_cut = True
                await send({"type": "websocket.close", "code": SIGNED_OUT, "reason": "signed out"})
                return
            if state.is_stream and kind == "http.response.body":
                state.is_cut = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
        await send(message)

    async def checked_receive() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive" and (state.is_cut or over()):
            if not state.is_cut:
                state.is_cut = True
                await send({"type": "websocket.close", "code": SIGNED_OUT, "reason": "signed out"})
            return {"type": "websocket.disconnect", "code": SIGNED_OUT}
        return message

    return checked_receive, checked_send


class _State:
    is_cut = False
    is_open_socket = False
    is_stream = False
