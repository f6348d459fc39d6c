"""A changelog's records as they lie in a fetch: all of them, once, and none that is damaged."""

import weakref
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.runs.batches import Batches, Fetched, all_records

TP = TopicPartition("changelog", 0)


def batch(first_offset: int, count: int) -> bytes:
    """A batch as a broker sends it."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=10_000,
    )
    for number in range(count):
        builder.append(number, 1_000, b"key-%d" % (first_offset + number), b"value", [])
    made = builder.build()
    made[:8] = first_offset.to_bytes(8, "big")  # which the broker sets, and no checksum covers
    return bytes(made)


def fetched(data: bytes, first_offset: int, backoff: float = 0.0) -> Any:
    """What aiokafka makes of a fetch from that offset on."""
    records = PartitionRecords(TP, MemoryRecords(data), [], first_offset, None, None, True, 0)
    return FetchResult(TP, assignment=None, partition_records=records, backoff=backoff)


def test_each_record_from_the_offset_on_that_was_asked_for_is_there_once() -> None:
    batches = Batches(TP, MemoryRecords(batch(0, 5) + batch(5, 3)), 2)
    found = all_records(list(batches))
    assert [(record.offset, record.key, record.value) for record in found] == [
        (offset, b"key-%d" % offset, b"value") for offset in range(2, 8)
    ]
    assert batches.next_fetch_offset == 8


def test_the_next_fetch_begins_behind_the_batches_that_were_taken() -> None:
    batches = Batches(TP, MemoryRecords(batch(10, 5) + batch(15, 3)), 10)
    assert len(next(iter(batches))) == 5
    assert batches.next_fetch_offset == 15


def test_a_damaged_batch_is_not_read() -> None:
    damaged = bytearray(batch(0, 5))
    damaged[-3] ^= 1
    with pytest.raises(CorruptRecordException, match="changelog"):
        list(Batches(TP, MemoryRecords(bytes(damaged)), 0))


def test_only_the_partitions_that_are_named_come_in_batches() -> None:
    kept = Fetched(lambda tp: tp == TP)
    other = TopicPartition("readings", 0)
    kept[TP], kept[other] = fetched(batch(3, 4), 3), fetched(batch(3, 4), 3)
    assert isinstance(kept[TP]._partition_records, Batches)
    assert isinstance(kept[other]._partition_records, PartitionRecords)
    assert [record.offset for record in all_records(list(kept[TP]._partition_records))] == [3, 4, 5, 6]


@pytest.mark.usefixtures("no_collector")
def test_what_aiokafka_made_of_a_fetch_is_gone_as_soon_as_its_batches_are_known() -> None:
    kept, result = Fetched(lambda _: True), fetched(batch(3, 4), 3)
    stock = weakref.ref(result._partition_records)
    assert isinstance(stock(), PartitionRecords)
    kept[TP] = result
    assert stock() is None


def test_only_what_may_lie_keeps_nobody_from_fetching() -> None:
    kept = Fetched(lambda _: False, lambda tp: tp == TP)
    other = TopicPartition("readings", 0)
    for tp in (TP, other):
        kept[tp] = fetched(batch(3, 4), 3, backoff=60.0)
    assert kept[TP].calculate_backoff() == 0
    assert kept[other].calculate_backoff() > 50
