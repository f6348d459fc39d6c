"""A run: consecutive records of one partition, as one fetch brought them."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one partition in the order of their offsets; never empty, gaps (compaction) are possible."""

    tp: TopicPartition
    records: Sequence[ConsumerRecord]

    @property
    def first_offset(self) -> int:
        return int(self.records[0].offset)

    @property
    def last_offset(self) -> int:
        return int(self.records[-1].offset)

    def __len__(self) -> int:
        return len(self.records)
