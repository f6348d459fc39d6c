"""Sending a run of records below Faust's and aiokafka's one-at-a-time calls."""

import asyncio
from collections.abc import Iterable
from typing import Any

from streams.runs.app import RunApp

Record = tuple[bytes | None, bytes | None]


async def begin_run(
    app: RunApp, topic: str, partition: int, records: Iterable[Record], timestamp_ms: int | None = None
) -> list["asyncio.Future[Any]"]:
    """Hand ``records`` to the producer in order and return futures that end when they are durable.

    Shape: as many futures as batches were needed. A record larger than a batch is sent by itself.
    """
    producer = app.producer._producer
    pending: list[asyncio.Future[Any]] = []
    batch = producer.create_batch()
    for key, value in records:
        if batch.append(key=key, value=value, timestamp=timestamp_ms) is not None:
            continue
        if batch.record_count():
            pending.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            if batch.append(key=key, value=value, timestamp=timestamp_ms) is not None:
                continue
        pending.append(await producer.send(topic, value, key=key, partition=partition, timestamp_ms=timestamp_ms))
    if batch.record_count():
        pending.append(await producer.send_batch(batch, topic, partition=partition))
    return pending


async def send_run(
    app: RunApp, topic: str, partition: int, records: Iterable[Record], timestamp_ms: int | None = None
) -> int | None:
    """Send ``records`` in order and return when all are durable: the offset of the last one, None when there is none."""
    pending = await begin_run(app, topic, partition, records, timestamp_ms)
    sent = await asyncio.gather(*pending)
    return max((int(metadata.offset) for metadata in sent), default=None) if sent else None
