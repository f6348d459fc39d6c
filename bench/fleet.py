"""A fleet's readings, and a Kafka that holds them."""

import asyncio
from collections.abc import Iterator

import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from models.fitting import digest_of
from schemas.topics import topics
from schemas.training import FeatureModel, ModelUpdate

Message = tuple[int, bytes, bytes]  # partition, key, value

#: When the readings begin, unless somebody says another time.
START_S = 1_700_000_000


def partition_of(key: bytes, partitions: int) -> int:
    """Kafka's own partitioner."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def readings(count: int, machines: int, partitions: int, seed: int = 0, start_s: int = START_S) -> Iterator[Message]:
    """``count`` wide readings, one a minute from each machine in turn: loads around 100 psi, in tenths of psi."""
    rng = np.random.default_rng(seed)
    keys = [f"well-{i:05d}".encode() for i in range(machines)]
    homes = [partition_of(key, partitions) for key in keys]
    for start in range(0, count, machines):
        casing, tubing = rng.normal(300, 10, machines), rng.normal(200, 10, machines)
        time = start_s + 60 * (start // machines)
        for i in range(min(machines, count - start)):
            body = b'{"client_id":"bench","machine_id":"%s","time":%d,"casing_pressure":%.1f,"tubing_pressure":%.1f}'
            yield homes[i], keys[i], body % (keys[i], time, casing[i], tubing[i])


def models(machines: int, partitions: int, intervals: int = 300, seed: int = 0) -> Iterator[Message]:
    """A model for each machine with as many intervals as a forest of 100 trees has after rounding."""
    rng = np.random.default_rng(seed)
    for i in range(machines):
        machine = f"well-{i:05d}"
        edges = np.unique(rng.normal(100, 3, intervals).astype(np.float32)).astype(float)
        distance = np.abs(np.concatenate((edges[:1], edges)) - 100) / 3
        update = ModelUpdate(
            digest=f"{i + 1:016x}",
            client_id="bench",
            machine_id=machine,
            stack="load",
            rung="own",
            detector="isolation_forest",
            features=[
                FeatureModel(
                    feature="load",
                    edges=edges.tolist(),
                    scores=np.round(0.4 + 0.05 * distance, 3).tolist(),
                    surprises=np.round(distance, 3).tolist(),
                    expected_low=94.0,
                    expected_high=106.0,
                )
            ],
            readings=1000,
            fitted_at=START_S,
            reason="first",
            request_id=None,
            parent_digest=None,
            manifest="bench",
            code_version="bench",
            git_commit="bench",
        )
        update = update.model_copy(update={"digest": digest_of(update.features)})
        yield partition_of(machine.encode(), partitions), update.key, update.model_dump_json().encode()


def create_topics(url: str, prefix: str, partitions: int) -> None:
    """All declared topics under ``prefix``, ready to be written to.

    Labels bear the broker's time, since not everybody stamps them with now.
    """
    admin = KafkaAdminClient(bootstrap_servers=url)
    names = topics(prefix)
    stamped = {names.labels.name: {"message.timestamp.type": "LogAppendTime"}}
    configs = [(one.name, {**one.config(), **stamped.get(one.name, {})}) for one in names]
    admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config) for name, config in configs])
    admin.close()
    consumer = KafkaConsumer(bootstrap_servers=url)
    consumer.end_offsets([TopicPartition(name, number) for name, _ in configs for number in range(partitions)])
    consumer.close()


def delete_topics(url: str, prefix: str) -> None:
    """All of them again, so that the broker has no old changelog to compact while the next one is measured."""
    admin = KafkaAdminClient(bootstrap_servers=url)
    admin.delete_topics([one.name for one in topics(prefix)])
    admin.close()


async def send(url: str, topic: str, messages: Iterator[Message]) -> int:
    """Send messages in batches; how many there were."""
    producer = AIOKafkaProducer(bootstrap_servers=url, acks="all", enable_idempotence=True, max_batch_size=500_000)
    await producer.start()
    batches = {}
    count = 0
    try:
        for partition, key, value in messages:
            count += 1
            batch = batches.get(partition) or batches.setdefault(partition, producer.create_batch())
            if batch.append(key=key, value=value, timestamp=None) is None:
                await producer.send_batch(batch, topic, partition=partition)
                batch = batches[partition] = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        for partition, batch in batches.items():
            await producer.send_batch(batch, topic, partition=partition)
        await producer.flush()
    finally:
        await producer.stop()
    return count


def send_all(url: str, topic: str, messages: Iterator[Message]) -> int:
    """:func:`send`, from code that is not asynchronous."""
    return asyncio.run(send(url, topic, messages))
