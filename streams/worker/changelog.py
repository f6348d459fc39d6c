"""Reading a partition of the worker's changelog from its first record to its last."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.access.broker import for_aiokafka
from streams.settings import BrokerSettings


async def read_whole(broker: BrokerSettings, topic: str, partition: int) -> AsyncIterator[Iterable[Any]]:
    """All its records in runs, in their order, with a consumer of its own that belongs to no group."""
    tp = TopicPartition(topic, partition)
    consumer = AIOKafkaConsumer(**for_aiokafka(broker), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=500)).values():
                yield records
    finally:
        await consumer.stop()
