"""A broker that is gone is waited for, however long that takes, and is not asked for without pause.

aiokafka asks who leads a partition again the moment it has heard nothing, a thousand times a second, and its producer gives a
batch up once that has waited for a leader for as long as a request may take. A broker that stops in order says that its
partitions have no leader, so after 30 s without it everything that waited would be given up.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

#: Between two questions for a leader; what aiokafka itself waits between other tries.
_PAUSE_S: Final = 0.1

Update = Callable[[], "asyncio.Future[bool]"]


class PausingMetadata:
    """In place of ``client.force_metadata_update``: nobody is asked twice within a tenth of a second.

    ``waiting``: batches whose time does not go on while no broker answers. One that answers and has no leader for a
    partition is another matter: that topic may be gone for good.
    """

    def __init__(
        self, update: Update, waiting: Callable[[], Iterable[Any]], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._update, self._waiting, self._now_s = update, waiting, now_s
        self._asking: asyncio.Task[bool] | None = None
        self._heard_s = float("-inf")

    def __call__(self) -> "asyncio.Future[bool]":
        """Whether a broker told what it knows; all who ask while one question is under way get its answer."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
        return asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        began_s = self._now_s()
        await asyncio.sleep(max(0.0, self._heard_s + _PAUSE_S - began_s))
        updated = await self._update()
        self._heard_s = self._now_s()
        if not updated:
            for batch in self._waiting():
                batch._ctime += self._heard_s - began_s
        return updated


def let_batches_wait(producer: Any) -> None:
    """Make an aiokafka producer wait for a broker that is gone."""
    client, queues = producer.client, producer._message_accumulator._batches
    client.force_metadata_update = PausingMetadata(
        client.force_metadata_update, lambda: [batch for queue in queues.values() for batch in queue]
    )


def ask_with_pauses(consumer: Any) -> None:
    """Make an aiokafka consumer ask for leaders in measure."""
    client = consumer._client
    client.force_metadata_update = PausingMetadata(client.force_metadata_update, lambda: ())
