"""The feed: every reading once, in order, by the contract, at its pace."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from models.batches import Machine, WideBatch
from models.simulator import SIGNALS, Fleet
from schemas.decoding import decode_reading
from schemas.errors import BadSettings, BrokerError
from streams.feed import FLAT_OUT, FeedReport, Form, Pace, feed
from streams.partitions import partition_of
from streams.reading_json import encode_tags, encode_wide
from streams.settings import Settings

START_MS = 1_700_000_000_000
MakeSettings = Callable[..., Settings]


def small(times: list[int]) -> WideBatch:
    n = len(times)
    at = np.array(times, np.int64)
    machines = (Machine("acme", "w1", ("casing_pressure", "class")), Machine("acme", "w2", ("tubing_pressure",)))
    signals = ("casing_pressure", "class", "tubing_pressure")
    values = np.arange(3.0 * n).reshape(n, 3)
    return WideBatch(machines, signals, np.arange(n) % 2, at, at, values)


# -- messages


def test_a_wide_message_carries_the_signals_of_its_machine_only() -> None:
    assert [value for _, value in encode_wide(small([START_MS, START_MS + 250]))] == [
        b'{"client_id":"acme","machine_id":"w1","time":"2023-11-14T22:13:20.000Z","casing_pressure":0.0,"class":1.0}',
        b'{"client_id":"acme","machine_id":"w2","time":"2023-11-14T22:13:20.250Z","tubing_pressure":5.0}',
    ]


def test_a_message_by_tag_carries_one_signal() -> None:
    assert [value for _, value in encode_tags(small([START_MS]))] == [
        b'{"client_id":"acme","machine_id":"w1","time":"2023-11-14T22:13:20.000Z","tag":"casing_pressure","value":0.0}',
        b'{"client_id":"acme","machine_id":"w1","time":"2023-11-14T22:13:20.000Z","tag":"class","value":1.0}',
    ]


def test_a_reading_without_any_value_is_sent_with_nulls() -> None:
    batch = small([START_MS])
    batch.values[:] = np.nan
    ((_, value),) = encode_wide(batch)
    assert b'"casing_pressure":null,"class":null' in value


def test_messages_say_what_the_readings_said() -> None:
    (batch,) = Fleet(2, 10, START_MS).readings(START_MS + 3_600_000)
    for row, (index, value) in zip(batch.rows(), encode_wide(batch), strict=True):
        decoded = decode_reading(value)
        assert batch.machines[index].machine_id == decoded.machine_id == row.machine_id
        assert (decoded.client_id, decoded.time_ms) == (row.client_id, row.time_ms)
        assert repr(dict(decoded.values)) == repr(row.values)


# -- sending


async def make_topic(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker.url)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(settings.topics.readings.name, settings.broker.partitions, 1)])
    finally:
        await admin.close()


async def read_all(settings: Settings, count: int) -> list[ConsumerRecord[Any, Any]]:
    """``count`` records of the readings topic, each partition's in order."""
    topic = settings.topics.readings.name
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker.url, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(settings.broker.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        found: list[ConsumerRecord[Any, Any]] = []
        deadline = time.monotonic() + 60
        while len(found) < count and time.monotonic() < deadline:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found.extend(records)
        return found
    finally:
        await consumer.stop()


@pytest.mark.parametrize("form", ["wide", "tag"])
async def test_every_reading_arrives_once_in_order_in_its_machines_partition(
    any_broker_url: str, make_settings: MakeSettings, form: Form
) -> None:
    settings = make_settings(any_broker_url)
    await make_topic(settings)
    until_ms = START_MS + 3 * 3_600_000
    began_ms = time.time() * 1000
    report = await feed(settings, Fleet(0, 20, START_MS).readings(until_ms), pace=FLAT_OUT, form=form)
    ended_ms = time.time() * 1000
    records = await read_all(settings, report.messages)

    encode = encode_wide if form == "wide" else encode_tags
    expected: dict[Any, list[bytes]] = defaultdict(list)
    for batch in Fleet(0, 20, START_MS).readings(until_ms):
        for index, value in encode(batch):
            expected[batch.machines[index].machine_id.encode()].append(value)
    found: dict[Any, list[bytes]] = defaultdict(list)
    for record in records:
        assert record.partition == partition_of(record.key.decode(), settings.broker.partitions)
        assert began_ms - 1 <= record.timestamp <= ended_ms + 1
        found[record.key].append(record.value)
    assert found == expected
    assert report.messages == len(records) == report.readings * (1 if form == "wide" else len(SIGNALS))
    assert report.bytes == sum(len(record.value) for record in records)
    assert report.machines == 20


async def test_a_pace_is_kept(embedded_broker_url: str, make_settings: MakeSettings) -> None:
    settings = make_settings(embedded_broker_url)
    await make_topic(settings)
    seen: list[FeedReport] = []
    readings = small([START_MS + 10_000 * index for index in range(11)])
    report = await feed(settings, [readings], pace=Pace(100), on_progress=seen.append)
    assert report.readings == 11
    assert report.seconds >= 1.0  # 100 s of readings, a hundred times as fast
    assert seen[-1] == report
    assert [progress.readings for progress in seen] == sorted(progress.readings for progress in seen)
    records = await read_all(settings, 11)
    sent_ms = sorted(record.timestamp for record in records)
    assert sent_ms[-1] - sent_ms[0] >= 990


async def test_no_readings_are_no_error(embedded_broker_url: str, make_settings: MakeSettings) -> None:
    settings = make_settings(embedded_broker_url)
    await make_topic(settings)
    report = await feed(settings, [], pace=FLAT_OUT)
    assert (report.readings, report.first_ms, report.last_ms) == (0, None, None)


async def test_an_error_while_reading_comes_through_after_what_was_read(
    embedded_broker_url: str, make_settings: MakeSettings
) -> None:
    def breaking() -> object:
        yield small([START_MS])
        raise ValueError("row 7 is broken")

    settings = make_settings(embedded_broker_url)
    await make_topic(settings)
    with pytest.raises(ValueError, match="row 7"):
        await feed(settings, breaking(), pace=FLAT_OUT)  # type: ignore[arg-type]
    assert len(await read_all(settings, 1)) == 1


async def test_a_feed_that_is_stopped_ends(embedded_broker_url: str, make_settings: MakeSettings) -> None:
    settings = make_settings(embedded_broker_url)
    await make_topic(settings)
    sending = asyncio.Event()
    feeding = asyncio.create_task(
        feed(
            settings,
            Fleet(0, 20, START_MS).readings(),
            pace=Pace(600),
            on_progress=lambda _: sending.set(),
        )
    )
    await asyncio.wait_for(sending.wait(), 30)
    feeding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(feeding, 30)


async def test_a_missing_topic_is_named(kafka_url: str, make_settings: MakeSettings) -> None:
    settings = make_settings(kafka_url)
    with pytest.raises(BrokerError, match=r"topics create"):
        await feed(settings, [small([START_MS])], pace=FLAT_OUT)


async def test_a_broker_that_is_not_there_is_named(make_settings: MakeSettings) -> None:
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1 "):
        await feed(make_settings("127.0.0.1:1"), [], pace=FLAT_OUT)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan")])
def test_a_pace_that_cannot_be_is_refused(factor: float) -> None:
    with pytest.raises(BadSettings, match="factor"):
        Pace(factor)
