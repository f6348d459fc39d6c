"""Ranges of partitions: by offset and by time, to the letter, on both brokers."""

from collections.abc import Iterable

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from schemas.errors import BrokerError
from streams.access.broker import for_aiokafka
from streams.reading_ranges import Bounds, Range, RangeReader
from streams.settings import Settings
from streams.topics_admin import create_topics
from tests.conftest import MakeSettings

#: Records of partition 0 by batch: their timestamps, one of which comes late. Partition 1 is empty, 2 has one record.
BATCHES = ([1_000, 1_010, 1_020], [2_000, 1_500, 2_010], [3_000])


@pytest.fixture
async def filled(any_broker_url: str, make_settings: MakeSettings) -> Settings:
    """An installation whose readings topic holds :data:`BATCHES`."""
    settings = make_settings(any_broker_url)
    create_topics(settings)
    for partition, times in [*((0, some) for some in BATCHES), (2, [1_700])]:
        await _send(settings, partition, times)
    return settings


async def _send(settings: Settings, partition: int, times_ms: Iterable[int], transaction: str | None = None) -> None:
    own = {} if transaction is None else {"transactional_id": transaction}
    async with AIOKafkaProducer(**for_aiokafka(settings.broker), **own) as producer:
        if transaction is not None:
            await producer.begin_transaction()
        batch = producer.create_batch()
        for time_ms in times_ms:
            batch.append(key=b"well", value=b"%d" % time_ms, timestamp=time_ms)
        await (await producer.send_batch(batch, settings.topics.readings.name, partition=partition))
        if transaction is not None:
            await producer.commit_transaction()


async def _read(settings: Settings, bounds: Bounds) -> tuple[list[Range], dict[int, list[int]]]:
    """The ranges of partitions 0 to 3, and the times of the records that came, by partition."""
    topic = settings.topics.readings.name
    async with RangeReader(settings.broker) as reader:
        ranges = await reader.find(topic, bounds)
        come: dict[int, list[int]] = {}
        async for run in reader.read(ranges):
            come.setdefault(run.tp.partition, []).extend(int(record.value) for record in run.records)
    return [ranges[TopicPartition(topic, number)] for number in range(4)], come


async def test_each_range_is_read_to_the_letter(filled: Settings) -> None:
    everything = [time for batch in BATCHES for time in batch]
    found, come = await _read(filled, Bounds())
    assert [len(one) for one in found] == [7, 0, 1, 0]
    assert come == {0: everything, 2: [1_700]}
    for bounds, ranges, times in (
        (Bounds(from_offset=2, to_offset=5), [Range(2, 5), Range(2, 2), Range(2, 2)], {0: everything[2:5]}),
        # From the first that is as new to before the first that is as new: a late one in between comes along.
        (Bounds(from_ms=1_020, to_ms=2_010), [Range(2, 5), Range(0, 0), Range(0, 1)], {0: everything[2:5], 2: [1_700]}),
        (Bounds(from_ms=1_800, from_offset=4), [Range(4, 7), Range(4, 4), Range(4, 4)], {0: everything[4:]}),
        (Bounds(from_ms=9_000), [Range(7, 7), Range(0, 0), Range(1, 1)], {}),
    ):
        found, come = await _read(filled, bounds)
        assert (found[:3], come) == (ranges, times), bounds


async def test_a_range_that_ends_in_a_marker_of_kafka_s_comes_to_its_end(
    kafka_url: str, make_settings: MakeSettings, unique_prefix: str
) -> None:
    settings = make_settings(kafka_url)
    create_topics(settings)
    await _send(settings, 3, [1, 2], transaction=unique_prefix)
    found, come = await _read(settings, Bounds())
    assert (found[3], come) == (Range(0, 3), {3: [1, 2]})


async def test_what_is_not_there_is_named(filled: Settings) -> None:
    with pytest.raises(BrokerError, match="none of number 9"):
        async with RangeReader(filled.broker) as reader:
            await reader.find(filled.topics.readings.name, Bounds(partitions=[9]))
    with pytest.raises(BrokerError, match=r"no topic nowhere.*wellsentry topics create"):
        async with RangeReader(filled.broker) as reader:
            await reader.find("nowhere", Bounds())
