"""Sending a run of records below Faust's and aiokafka's one-at-a-time calls."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

from aiokafka.errors import ProducerFenced

from schemas.errors import BrokerError
from streams.runs.app import RunApp

Record = tuple[bytes | None, bytes | None]


async def send_run(
    app: RunApp, topic: str, partition: int, records: Iterable[Record], timestamp_ms: int | None = None
) -> int | None:
    """Send ``records`` in order and return when all are durable: the offset of the last one, None when there is none.

    They go in as few batches as possible. A record larger than a batch is sent by itself. To a partition that another has
    claimed since, nothing is sent: who has it does again all that is not committed (:mod:`streams.runs.claims`).
    """
    claim = app.claims.get(partition)
    if claim is not None and claim.ended:
        # Whoever goes on after this would commit what was never written.
        raise BrokerError(
            f"{topic}/{partition} was given up, and something was still to be written to it; start this again"
        )
    if claim is not None and claim.lost:
        return None
    producer = app.producer._producer
    pending: list[Awaitable[Any]] = []
    counts: list[int] = []

    async def hand_over(batch: Any) -> None:
        counts.append(batch.record_count())
        pending.append(await producer.send_batch(batch, topic, partition=partition))

    def new_batch() -> Any:
        return producer.create_batch() if claim is None else claim.batch(producer, topic)

    batch = new_batch()
    for key, value in records:
        if batch.append(key=key, value=value, timestamp=timestamp_ms) is None:
            await hand_over(batch)
            batch = new_batch()
            batch.append(key=key, value=value, timestamp=timestamp_ms)  # the first one has room, whatever its size
    if batch.record_count():
        await hand_over(batch)
    sent: list[Any] = await asyncio.gather(*pending, return_exceptions=True)
    for error in sent:
        if claim is not None and isinstance(error, ProducerFenced):
            app.lose(partition, claim)
            return None
        if isinstance(error, BaseException):
            raise error
    # The broker tells the offset of a batch's first record.
    return max((int(one.offset) + count - 1 for one, count in zip(sent, counts, strict=True)), default=None)
