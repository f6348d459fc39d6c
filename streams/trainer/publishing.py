"""Models onto the topic ``models``: the machine's own partition, or every partition for a fleet's."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import BrokerError, DamagedEntry
from schemas.training import ModelUpdate
from streams.access.broker import for_aiokafka
from streams.access.why import start
from streams.log import get_logger
from streams.partitions import partition_of
from streams.registry import Registry
from streams.settings import BrokerSettings, Settings

log = get_logger(__name__)

#: Sends one record to a partition and returns when it is durable.
Send = Callable[[int, bytes, bytes], Awaitable[object]]

#: A broker that gives nothing for so long, though there is more, has a problem.
_SILENCE_S: Final = 20.0


def partitions_of(update: ModelUpdate, partitions: int) -> list[int]:
    """Where the machines are that it is for."""
    return list(range(partitions)) if update.rung == "fleet" else [partition_of(update.machine_id, partitions)]


async def publish(update: ModelUpdate, partitions: Iterable[int], send: Send) -> None:
    """Send ``update`` to ``partitions``, each record in a batch of its own.

    Of its own because a worker reads this topic up to its end before it starts, and the embedded broker reports an end
    that is too early after a batch of several.
    """
    key, value = update.key, update.model_dump_json().encode()
    started = time.monotonic()
    await asyncio.gather(*(send(partition, key, value) for partition in partitions))
    log.info(
        "model published",
        action="model_published",
        client_id=update.client_id,
        machine_id=update.machine_id,
        stack=update.stack,
        digest=update.digest,
        rung=update.rung,
        reason=update.reason,
        bytes=len(value),
        seconds=round(time.monotonic() - started, 4),
    )


@contextlib.asynccontextmanager
async def sending(settings: Settings) -> AsyncIterator[Send]:
    """Sends records to the topic ``models``, while the block runs; :class:`BrokerError` when the broker fails."""
    topic = settings.topics.models.name
    try:
        producer = AIOKafkaProducer(**for_aiokafka(settings.broker), acks="all")
        await start(producer, settings.broker)
        try:

            async def send(partition: int, key: bytes, value: bytes) -> object:
                return await producer.send_and_wait(topic, value=value, key=key, partition=partition)

            yield send
        finally:
            await producer.stop()
    except (KafkaError, OSError) as error:
        raise BrokerError(
            f"models cannot be published to {topic} on {settings.broker.url}: {type(error).__name__}: {error}. "
            "Check broker.url and `wellsentry topics check`."
        ) from error


async def publish_registry(settings: Settings, registry: Registry) -> int:
    """Publish the newest model of each machine and fleet that the topic has none of at all; how many were sent.

    One that the topic has is left alone, even when the registry has a newer one: an operator may have gone back to it.
    Raises :class:`BrokerError` when the broker cannot be reached or falls silent.
    """
    topic, partitions = settings.topics.models.name, settings.broker.partitions
    started = time.monotonic()
    updates = await asyncio.to_thread(lambda: list(registry.all_chosen(_tell_of_damage)))
    if not updates:
        return 0
    async with sending(settings) as send:
        present = await _keys_on_topic(settings.broker, topic, partitions)
        sent = 0
        for update in updates:
            lacking = [p for p in partitions_of(update, partitions) if (p, update.key) not in present]
            if lacking:
                await publish(update, lacking, send)
                sent += 1
    log.info(
        "registry published",
        action="registry_published",
        registry=registry.url,
        models=len(updates),
        sent=sent,
        seconds=round(time.monotonic() - started, 3),
    )
    return sent


def _tell_of_damage(error: DamagedEntry) -> None:
    log.warning("left out of publishing", action="entry_damaged", detail=str(error))


async def _keys_on_topic(broker: BrokerSettings, topic: str, partitions: int) -> set[tuple[int, bytes]]:
    """Partition and key of everything on a compacted topic."""
    consumer = AIOKafkaConsumer(**for_aiokafka(broker), enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        await start(consumer, broker)
        wanted = [TopicPartition(topic, partition) for partition in range(partitions)]
        consumer.assign(wanted)
        await consumer.seek_to_beginning(*wanted)
        ends = await consumer.end_offsets(wanted)
        found: set[tuple[int, bytes]] = set()
        heard = time.monotonic()
        while [tp for tp in wanted if await consumer.position(tp) < ends[tp]]:
            fetched = await consumer.getmany(timeout_ms=500)
            if fetched:
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE_S:
                raise BrokerError(f"{broker} has more of topic {topic} and does not give it; is a broker of it down?")
            for tp, records in fetched.items():
                for record in records:
                    identity = (tp.partition, bytes(record.key or b""))
                    (found.discard if record.value is None else found.add)(identity)
        return found
    finally:
        await consumer.stop()
