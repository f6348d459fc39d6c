"""Sending a run of records below Faust's and aiokafka's one-at-a-time calls."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from itertools import islice
from typing import Any, Final

from aiokafka.errors import ProducerFenced

from schemas.errors import BrokerError
from streams.runs.app import RunApp

Record = tuple[bytes | None, bytes | None]

_NO_HEADERS: Final[list[Any]] = []


def fill(batch: Any, records: Sequence[Record], begin: int, timestamp_ms: int) -> int:
    """Append records from number ``begin`` on to aiokafka's empty batch; the number of the first that finds no room.

    An empty batch has room for a record of any size. aiokafka's own ``append`` looks for serializers, the time and whether
    the batch is closed before each record.
    """
    append, count = batch._builder.append, 0
    for key, value in islice(records, begin, None):
        if append(count, timestamp_ms, key, value, _NO_HEADERS) is None:
            break
        count += 1
    batch._relative_offset = count
    return begin + count


async def send_run(app: RunApp, topic: str, partition: int, records: Sequence[Record]) -> int | None:
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

    now_ms, begin = int(time.time() * 1000), 0
    while begin < len(records):
        batch = producer.create_batch() if claim is None else claim.batch(producer, topic)
        begin = fill(batch, records, begin, now_ms)
        counts.append(batch.record_count())
        pending.append(await producer.send_batch(batch, topic, partition=partition))
    sent: list[Any] = await asyncio.gather(*pending, return_exceptions=True)
    for error in sent:
        if claim is not None and isinstance(error, ProducerFenced):
            app.lose(partition, claim)
            return None
        if isinstance(error, BaseException):
            raise error
    # The broker tells the offset of a batch's first record.
    return max((int(one.offset) + count - 1 for one, count in zip(sent, counts, strict=True)), default=None)
