"""Sending a run of records below Faust's and aiokafka's one-at-a-time calls."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

from streams.runs.app import RunApp

Record = tuple[bytes | None, bytes | None]


async def send_run(
    app: RunApp, topic: str, partition: int, records: Iterable[Record], timestamp_ms: int | None = None
) -> int | None:
    """Send ``records`` in order and return when all are durable: the offset of the last one, None when there is none.

    They go in as few batches as possible. A record larger than a batch is sent by itself.
    """
    producer = app.producer._producer
    pending: list[Awaitable[Any]] = []
    counts: list[int] = []

    async def hand_over(batch: Any) -> None:
        counts.append(batch.record_count())
        pending.append(await producer.send_batch(batch, topic, partition=partition))

    batch = producer.create_batch()
    for key, value in records:
        if batch.append(key=key, value=value, timestamp=timestamp_ms) is not None:
            continue
        if batch.record_count():
            await hand_over(batch)
            batch = producer.create_batch()
            if batch.append(key=key, value=value, timestamp=timestamp_ms) is not None:
                continue
        counts.append(1)
        pending.append(await producer.send(topic, value, key=key, partition=partition, timestamp_ms=timestamp_ms))
    if batch.record_count():
        await hand_over(batch)
    sent = await asyncio.gather(*pending)
    # The broker tells the offset of a batch's first record.
    return max((int(one.offset) + count - 1 for one, count in zip(sent, counts, strict=True)), default=None)
