"""Reading a topic once, without a group and without disturbing anybody, as it comes.

Much of a topic, or a part of it, is read by :mod:`streams.reading_ranges`, several times faster.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import BrokerError
from streams.access.broker import for_aiokafka, no_topic
from streams.access.why import start
from streams.settings import Settings

_FETCH_MS = 200
#: The embedded broker reports ends that are too low (its batches count as one record): nothing new for so long is the end.
_QUIET_S = 1.0


async def read_topic(
    settings: Settings, topic: str, *, from_beginning: bool = True, until_end: bool = True
) -> AsyncIterator[Any]:
    """Records of ``topic``, each partition in its order; for ever unless ``until_end``.

    Raises :class:`BrokerError` if Kafka cannot be reached, has no such topic or does not let us read it.
    The end is where the topic ended when the call was made, or later where the broker's answers say so.
    """
    consumer = AIOKafkaConsumer(
        **for_aiokafka(settings.broker),
        enable_auto_commit=False,
        auto_offset_reset="earliest" if from_beginning else "latest",
        fetch_max_wait_ms=_FETCH_MS,
        max_partition_fetch_bytes=4_000_000,
    )
    try:
        await start(consumer, settings.broker)
        if topic not in await consumer.topics():  # aiokafka would ask for it for ever
            raise no_topic(topic)
        partitions = [TopicPartition(topic, number) for number in range(settings.broker.partitions)]
        consumer.assign(partitions)
        if not from_beginning:
            await consumer.seek_to_end(*partitions)
        ends = await consumer.end_offsets(partitions) if until_end else {}
        quiet_since_s = time.monotonic()
        while True:
            fetched = await consumer.getmany(timeout_ms=_FETCH_MS, max_records=4_000)
            for records in fetched.values():
                for record in records:
                    yield record
            if fetched:
                quiet_since_s = time.monotonic()
            elif until_end and time.monotonic() - quiet_since_s >= _QUIET_S and await _at(consumer, partitions, ends):
                return
            await asyncio.sleep(0)
    except KafkaError as error:
        raise BrokerError(f"{topic} on {settings.broker.url} cannot be read: {error}") from error
    finally:
        await consumer.stop()


async def _at(consumer: Any, partitions: Sequence[TopicPartition], ends: dict[TopicPartition, int]) -> bool:
    for tp in partitions:
        if await consumer.position(tp) < max(ends.get(tp, 0), consumer.highwater(tp) or 0):
            return False
    return True
