"""Readings into the readings topic: as fast as they came, faster, or flat out."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from aiokafka.errors import KafkaError

from models.batches import WideBatch
from schemas.errors import BadSettings, BrokerError
from streams.access.broker import no_topic
from streams.access.producer import started_producer
from streams.access.why import cannot_connect
from streams.partitions import partition_of
from streams.reading_json import encode_tags, encode_wide
from streams.settings import Settings

Form = Literal["wide", "tag"]

#: So many readings are encoded before the event loop has its turn, and carry one record timestamp: a few milliseconds.
_SLICE = 4_000
#: When paced, readings are sent in groups no closer than this; a group is one batch for each partition.
_TICK_S = 0.02
_PROGRESS_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast: ``factor`` times as fast as the readings arrived, or flat out if it is None."""

    factor: float | None = None

    def __post_init__(self) -> None:
        if self.factor is not None and not 0 < self.factor <= 1e9:
            raise BadSettings(f"the pace's factor is {self.factor}; it must lie above 0 (1: as fast as life)")


FLAT_OUT = Pace()


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What was sent so far, or in the end."""

    readings: int = 0
    messages: int = 0  # by tag a reading is as many messages as it has signals
    bytes: int = 0  # of the messages' values
    machines: int = 0
    first_ms: int | None = None  # arrival of the first and the newest reading at the historian
    last_ms: int | None = None
    seconds: float = 0.0
    behind_s: float = 0.0  # how far sending lags behind the pace


OnProgress = Callable[[FeedReport], None]


async def feed(
    settings: Settings,
    readings: Iterable[WideBatch],
    *,
    pace: Pace = FLAT_OUT,
    on_progress: OnProgress | None = None,
    form: Form = "wide",
) -> FeedReport:
    """Send ``readings`` to the readings topic and return when all are durable.

    Each machine's readings keep their order; key and partition follow from the machine's name. The record's timestamp
    is the moment of sending. ``on_progress`` is called some times a second and at the end. Where the broker allows it
    nothing is sent twice. ``readings`` is worked through in a thread of its own, one batch ahead.
    Raises :class:`BrokerError` if Kafka cannot be reached, refuses, or has no such topic.
    """
    url, topic = settings.broker.url, settings.topics.readings.name
    try:
        producer = await started_producer(
            settings.broker,
            max_batch_size=settings.broker.producer_batch_bytes,
            max_request_size=max(1_048_576, 2 * settings.broker.producer_batch_bytes),
        )
    except (TimeoutError, KafkaError, OSError) as error:
        raise await asyncio.to_thread(cannot_connect, settings.broker, error) from error
    try:
        sender = _Sender(producer, topic, await _partitions(producer, topic), form)
        return await _send_all(sender, _ahead(readings), pace, on_progress or (lambda _: None))
    except KafkaError as error:
        raise BrokerError(f"Kafka at {url} did not take readings for topic {topic}: {error!r}") from error
    finally:
        await producer.stop()


async def _partitions(producer: Any, topic: str) -> int:
    cluster = await producer.client.fetch_all_metadata()
    partitions = cluster.partitions_for_topic(topic)
    if not partitions:
        raise no_topic(topic)
    return len(partitions)


async def _send_all(sender: "_Sender", readings: Any, pace: Pace, on_progress: OnProgress) -> FeedReport:
    report = FeedReport()
    machines: set[tuple[str, str]] = set()
    began = time.monotonic()
    reported = began
    async for batch in readings:
        machines.update((machine.client_id, machine.machine_id) for machine in batch.machines)
        if report.first_ms is None:
            report = replace(report, first_ms=int(batch.arrival_ms[0]))
        first_ms = int(report.first_ms or 0)
        position = 0
        while position < len(batch):
            elapsed_s = time.monotonic() - began
            stop, wait_s, behind_s = _due(batch, position, first_ms, elapsed_s, pace)
            if stop == position:
                await asyncio.sleep(max(wait_s, _TICK_S))
                continue
            messages, size = await sender.send(batch.part(position, stop))
            report = replace(
                report,
                readings=report.readings + stop - position,
                messages=report.messages + messages,
                bytes=report.bytes + size,
                machines=len(machines),
                last_ms=int(batch.arrival_ms[stop - 1]),
                seconds=time.monotonic() - began,
                behind_s=behind_s,
            )
            position = stop
            if time.monotonic() - reported >= _PROGRESS_EVERY_S:
                reported = time.monotonic()
                on_progress(report)
    await sender.finish()
    report = replace(report, seconds=time.monotonic() - began)
    on_progress(report)
    return report


def _due(batch: WideBatch, position: int, first_ms: int, elapsed_s: float, pace: Pace) -> tuple[int, float, float]:
    """Up to where the batch is due, how long to wait until more of it is, and how many seconds late it is."""
    most = min(len(batch), position + _SLICE)
    if pace.factor is None:
        return most, 0.0, 0.0
    now_ms = first_ms + elapsed_s * 1000 * pace.factor
    stop = min(most, int(np.searchsorted(batch.arrival_ms, now_ms, side="right")))
    early_s = (int(batch.arrival_ms[position]) - now_ms) / 1000 / pace.factor
    return max(stop, position), max(0.0, early_s), max(0.0, -early_s)


class _Sender:
    """Puts encoded readings into batches, one for each partition, below aiokafka's one-at-a-time calls."""

    def __init__(self, producer: Any, topic: str, partitions: int, form: Form) -> None:
        self._producer = producer
        self._topic = topic
        self._partitions = partitions
        self._place: dict[str, tuple[int, bytes]] = {}
        self._encode = encode_wide if form == "wide" else encode_tags
        self._pending: list[asyncio.Future[Any]] = []

    async def send(self, batch: WideBatch) -> tuple[int, int]:
        """Hand the batch to the producer: how many messages it was, and how many bytes. Waits for the one before."""
        earlier, self._pending = self._pending, []
        place = [self._placed(machine.machine_id) for machine in batch.machines]
        now_ms = int(time.time() * 1000)
        builders: dict[int, Any] = {}
        messages = size = 0
        for machine, value in self._encode(batch):
            partition, key = place[machine]
            builder = builders.get(partition)
            if builder is None:
                builder = builders[partition] = self._producer.create_batch()
            if builder.append(key=key, value=value, timestamp=now_ms) is None:
                await self._hand_over(partition, builder)
                builder = builders[partition] = self._producer.create_batch()
                builder.append(key=key, value=value, timestamp=now_ms)
            messages += 1
            size += len(value)
        for partition, builder in builders.items():
            await self._hand_over(partition, builder)
        await asyncio.gather(*earlier)
        return messages, size

    async def finish(self) -> None:
        """Wait until everything is durable."""
        await asyncio.gather(*self._pending)

    async def _hand_over(self, partition: int, builder: Any) -> None:
        self._pending.append(await self._producer.send_batch(builder, self._topic, partition=partition))

    def _placed(self, machine_id: str) -> tuple[int, bytes]:
        placed = self._place.get(machine_id)
        if placed is None:
            placed = self._place[machine_id] = (partition_of(machine_id, self._partitions), machine_id.encode())
        return placed


async def _ahead(batches: Iterable[WideBatch]) -> Any:
    """``batches``, the next one being made in a thread while this one is sent."""
    iterator: Iterator[WideBatch] = iter(batches)

    def take() -> WideBatch | None:
        return next((batch for batch in iterator if len(batch)), None)

    coming = asyncio.create_task(asyncio.to_thread(take))
    try:
        while (batch := await coming) is not None:
            coming = asyncio.create_task(asyncio.to_thread(take))
            yield batch
    finally:
        coming.cancel()
