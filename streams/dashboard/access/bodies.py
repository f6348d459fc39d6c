"""Bodies of requests: read whole before anything is done, and never more than so much, nor for longer than so long."""

import asyncio
from typing import Final

from starlette.types import Message, Receive

from schemas.errors import RefusedRequest
from streams.dashboard.access.arrival import Arrival

_WITHIN_S: Final = 10.0


class Gone(Exception):
    """Whoever asked has gone away meanwhile."""


async def body_of(arrival: Arrival, receive: Receive, most_bytes: int) -> bytes:
    """All of it. Raises :class:`RefusedRequest` where it is too large or too slow, and :class:`Gone`."""
    told = arrival.headers.get("content-length", "0")
    if not told.isdigit() or int(told) > most_bytes:
        raise _too_large(most_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(_WITHIN_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                body += message.get("body", b"")
                if len(body) > most_bytes:
                    raise _too_large(most_bytes)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise RefusedRequest(
            408, "too-slow", f"the body of this request did not come within {_WITHIN_S:.0f} s"
        ) from None


def again(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives ``body`` first, and then what follows."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return waiting.pop() if waiting else await receive()

    return next_message


def _too_large(most_bytes: int) -> RefusedRequest:
    return RefusedRequest(413, "too-large", f"the body of this request is larger than {most_bytes} bytes")
