"""An audit of what is there: Kafka's topics and DynamoDB's table, read without disturbing anybody."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from schemas.errors import BrokerError
from streams.access.broker import for_kafka_python
from streams.access.why import cannot_connect
from streams.audit.audit import Audit, Scope
from streams.audit.report import Report
from streams.label_store import LabelStore
from streams.reading_ranges import Bounds, RangeReader
from streams.settings import Settings

_REQUEST_TIMEOUT_MS: Final = 15_000

#: Told which part is being read and how many entries of it came so far.
Progress = Callable[[str, int], None]


def run_audit(settings: Settings, scope: Scope, now_ms: int, progress: Progress) -> Report:
    """Read everything in ``scope`` and judge it. Raises :class:`BrokerError` or :class:`schemas.errors.StoreError`."""
    topics, audit = settings.topics, Audit(scope, settings.dynamodb.ttl_days, now_ms)
    with _consumer(settings) as consumer:
        for topic, add in (
            (topics.readings.name, audit.add_reading),
            (topics.rejected.name, audit.add_rejected),
            (topics.labels.name, audit.add_label),
        ):
            asyncio.run(_read(settings, topic, add, progress))
        partitions = _partitions(consumer, topics.readings.name)
        first = {tp.partition: offset for tp, offset in consumer.beginning_offsets(partitions).items()}
        last = {tp.partition: offset for tp, offset in consumer.end_offsets(partitions).items()}
        judged = _committed(settings, partitions)
    with LabelStore(settings.dynamodb, settings.sink) as store:
        for count, row in enumerate(_rows(store, scope), 1):
            audit.add_stored(row)
            progress(store.table, count)
    return audit.report(first, last, judged)


def _rows(store: LabelStore, scope: Scope) -> Iterator[Any]:
    if scope.client_id is not None and scope.machine_id is not None:
        return store.rows_of(scope.client_id, scope.machine_id)
    return store.rows()


@contextmanager
def _consumer(settings: Settings, group: str | None = None) -> Iterator[Any]:
    access = for_kafka_python(settings.broker)
    try:
        consumer = KafkaConsumer(
            **access,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
        )
    except (KafkaError, OSError) as error:
        raise cannot_connect(settings.broker, error) from error
    try:
        yield consumer
    except KafkaError as error:
        url = settings.broker.url
        raise BrokerError(f"Kafka at {url} cannot be read: {error}; `wellsentry doctor` tells more") from error
    finally:
        consumer.close()


def _partitions(consumer: Any, topic: str) -> list[TopicPartition]:
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise BrokerError(f"topic {topic} is not there; `wellsentry topics create` makes it")
    return [TopicPartition(topic, number) for number in sorted(numbers)]


class _Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


async def _read(settings: Settings, topic: str, add: Callable[[_Record], None], progress: Progress) -> None:
    """All records of ``topic`` that are there now."""
    count = 0
    async with RangeReader(settings.broker) as reader:
        async for run in reader.read(await reader.find(topic, Bounds())):
            for one in run.records:
                add(_Record(topic, run.tp.partition, one.offset, one.timestamp, one.key, one.value))
            count += len(run.records)
            progress(topic, count)


def _committed(settings: Settings, partitions: list[TopicPartition]) -> Mapping[int, int]:
    """Up to where the worker has judged the readings."""
    with _consumer(settings, settings.worker.app_id) as consumer:
        return {tp.partition: consumer.committed(tp) or 0 for tp in partitions}
