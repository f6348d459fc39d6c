"""aiokafka's clients as the bare loops use them."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition


async def start_clients(url: str) -> tuple[AIOKafkaConsumer, AIOKafkaProducer]:
    """A consumer that commits nothing and a producer that waits for all replicas, both started."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=url,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4_000_000,
    )
    producer = AIOKafkaProducer(bootstrap_servers=url, acks="all", enable_idempotence=True, max_batch_size=500_000)
    await consumer.start()
    await producer.start()
    return consumer, producer


async def send_run(
    producer: AIOKafkaProducer, tp: TopicPartition, records: Iterable[tuple[bytes | None, bytes | None]]
) -> set[asyncio.Future[object]]:
    """Hand keys and values over in as few batches as possible; what is done when the broker has them."""
    sent: set[asyncio.Future[object]] = set()
    batch = producer.create_batch()
    for key, value in records:
        if batch.append(key=key, value=value, timestamp=None) is None:
            sent.add(await producer.send_batch(batch, tp.topic, partition=tp.partition))
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    sent.add(await producer.send_batch(batch, tp.topic, partition=tp.partition))
    return sent


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """All partitions of a topic, as soon as they are known. Ask before anything is assigned."""
    while not (found := consumer.partitions_for_topic(topic)):
        await consumer._client.force_metadata_update()
        await consumer.topics()
    return [TopicPartition(topic, number) for number in sorted(found)]
