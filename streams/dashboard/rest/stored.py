"""The label store for a web server: asked in threads, a few at a time, and connected to when somebody first asks."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from streams.label_store import LabelStore
from streams.settings import Settings

T = TypeVar("T")

#: A person waits for an answer: a table that does not answer is told soon.
_ATTEMPTS = 2
_AT_ONCE = 4


class Stored:
    """The table of this installation. Close it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store: LabelStore | None = None
        self._connecting = threading.Lock()
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def ask(self, read: Callable[[LabelStore], T]) -> T:
        """What ``read``, which may block, makes of the store. Raises :class:`schemas.errors.StoreError` as it does."""
        async with self._room:
            return await asyncio.to_thread(lambda: read(self._connected()))

    async def close(self) -> None:
        """Let go of DynamoDB."""
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    def _connected(self) -> LabelStore:
        with self._connecting:
            if self._store is None:
                sink = self._settings.sink.model_copy(update={"max_attempts": _ATTEMPTS, "writers": _AT_ONCE})
                self._store = LabelStore(self._settings.dynamodb, sink)
            return self._store
