"""What follows labels that are durable: incidents, rejections, training requests, status. The next labels need not wait."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from schemas.topics import Topics
from streams.runs.producing import Record
from streams.worker.partition import Output

#: So much may wait before no further labels are sent.
_MOST_BYTES: Final = 10_000_000

#: A partition, what came out of its runs, and the status of its machines.
Taken = tuple[int, Output, list[Record]]
#: Sends records to a topic's partition.
Send = Callable[[str, int, list[Record]], Awaitable[Any]]


class Following:
    """Sends what was put, in that order. What comes while something is under way goes together, so it cannot fall behind."""

    def __init__(self, send: Send, topics: Topics) -> None:
        """``send`` returns when records of a topic's partition are durable."""
        self._send, self._topics = send, topics
        self._waiting: dict[tuple[str, int], list[Record]] = {}  # by topic and partition
        self._bytes = 0  # of these
        self._next: asyncio.Future[None] | None = None  # done when what waits is durable
        self._last: asyncio.Future[None] | None = None  # done when what was sent last is
        self._work, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()

    def put(self, taken: Iterable[Taken]) -> "asyncio.Future[None]":
        """Have all but the labels sent; done when that, and all that was put before, is durable."""
        for number, output, status in taken:
            self._add(self._topics.incidents.name, number, output.incidents)
            self._add(self._topics.rejected.name, number, output.rejected)
            self._add(self._topics.training.name, number, output.training)
            self._add(self._topics.status.name, number, status)
        if self._last is None:
            self._last = asyncio.get_running_loop().create_future()
            self._last.set_result(None)
        if not self._waiting:
            return self._last
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._work.set()
        return self._next

    def _add(self, topic: str, number: int, records: list[Record]) -> None:
        if records:
            self._waiting.setdefault((topic, number), []).extend(records)
            self._bytes += sum(len(value or b"") for _, value in records)
            if self._bytes >= _MOST_BYTES:
                self._room.clear()

    async def room(self) -> None:
        """Wait while too much waits."""
        await self._room.wait()

    async def send_all(self) -> None:
        """Send what is put, for ever."""
        while True:
            await self._work.wait()
            self._work.clear()
            waiting, self._waiting, self._bytes = self._waiting, {}, 0
            self._last, self._next = self._next, None
            self._room.set()
            await asyncio.gather(*(self._send(topic, number, records) for (topic, number), records in waiting.items()))
            if self._last is not None:
                self._last.set_result(None)
