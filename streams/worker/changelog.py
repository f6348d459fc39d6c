"""The second durable step: machines' state into the changelog, then the offsets of the readings that are in it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from schemas.topics import Topics
from streams.runs.app import RunApp
from streams.runs.committing import commit_offsets
from streams.runs.producing import Record, send_run
from streams.worker.store import StateStore

#: So many changes may wait to be written before no further machines' state is taken.
_MOST_WAITING = 8


@dataclass(frozen=True, slots=True)
class Change:
    """Records to append once ``after`` is done, and offsets to commit once they are durable; by partition."""

    after: "asyncio.Future[None]"
    records: Mapping[int, list[Record]]
    next_offsets: Mapping[int, int]
    on_durable: list["asyncio.Future[None]"] = field(default_factory=list)
    on_committed: list["asyncio.Future[None]"] = field(default_factory=list)


class Changelog:
    """Writes changes in the order in which they were put."""

    def __init__(
        self, app: RunApp, topics: Topics, store: StateStore, written: Callable[[Mapping[int, int]], None]
    ) -> None:
        """``written`` is told whenever something was written, and which offsets were committed with it."""
        self._app, self._topics, self._store, self._written = app, topics, store, written
        self._changes: asyncio.Queue[Change] = asyncio.Queue()
        self.records = self.bytes = 0  # written so far

    @property
    def is_behind(self) -> bool:
        """Whether what was put already had better be written first."""
        return self._changes.qsize() >= _MOST_WAITING

    def put(self, change: Change) -> None:
        """Have ``change`` written behind all that were put before."""
        self._changes.put_nowait(change)

    async def write_changes(self) -> None:
        """Write them, for ever; those that wait, together."""
        while True:
            changes = [await self._changes.get()]
            while not self._changes.empty():
                changes.append(self._changes.get_nowait())
            records: dict[int, list[Record]] = {}
            for change in changes:
                await change.after
                for number, some in change.records.items():
                    records.setdefault(number, []).extend(some)
            await self.append(records)
            _tell(done for change in changes for done in change.on_durable)
            next_offsets = {number: offset for change in changes for number, offset in change.next_offsets.items()}
            if next_offsets:
                await self._commit(next_offsets)
            _tell(done for change in changes for done in change.on_committed)
            self._written(next_offsets)

    async def append(self, records: Mapping[int, list[Record]]) -> None:
        """Append records and return when they are durable."""
        await asyncio.gather(*(self._append(number, some) for number, some in records.items() if some))

    async def _append(self, partition: int, records: list[Record]) -> None:
        name = self._topics.changelog.name
        offset = await send_run(self._app, name, partition, records)
        if offset is not None:
            self.records += len(records)
            self.bytes += sum(len(key or b"") + len(value or b"") for key, value in records)
            self._store.written(TopicPartition(name, partition), offset)

    async def _commit(self, next_offsets: Mapping[int, int]) -> None:
        name = self._topics.readings.name
        await commit_offsets(
            self._app, {TopicPartition(name, n): offset for n, offset in next_offsets.items() if offset}
        )


def _tell(waiting: Iterable["asyncio.Future[None]"]) -> None:
    for done in waiting:
        if not done.done():
            done.set_result(None)
