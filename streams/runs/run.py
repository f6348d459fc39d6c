"""A run: consecutive records of one partition, as one fetch brought them."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition

#: Records of a run, at most. More make runs longer and cheaper, and a label later.
MAX_RUN: Final = 4_000


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one partition in the order of their offsets; never empty, gaps (compaction) are possible.

    Each has ``offset``, ``timestamp`` (ms), ``key`` and ``value``; topic and partition are said here.
    """

    tp: TopicPartition
    records: Sequence[Any]
    generation: int = 0  # of the consumer group, when it was fetched

    @property
    def first_offset(self) -> int:
        return int(self.records[0].offset)

    @property
    def last_offset(self) -> int:
        return int(self.records[-1].offset)

    def __len__(self) -> int:
        return len(self.records)


async def each_run(fetches: AsyncIterable[Sequence[Run]]) -> AsyncIterator[Run]:
    """The runs of what comes to an agent: with each event, those of one fetch and topic."""
    async for runs in fetches:
        for run in runs:
            yield run
