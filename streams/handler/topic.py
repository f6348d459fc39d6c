"""Readings from a stretch of the readings topic: those that a worker judged, or would."""

import asyncio
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from schemas.decoding import Decoded, decode_reading
from schemas.errors import BadReading
from streams.handler.sources import Query, Readings
from streams.settings import Settings


class TopicSource:
    """The machine's own partition, read without a group and without disturbing anybody; labels get the worker's ids."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._topic = settings, settings.topics.readings.name

    def load(self, query: Query) -> Readings:
        """The machine's readings, in the order of their offsets. What is no reading is left out, as the worker rejects it.

        Raises :class:`BrokerError` if Kafka cannot be reached or has no such topic.
        """
        return asyncio.run(self._load(query))

    async def _load(self, query: Query) -> Readings:
        # These bring aiokafka, which other sources can do without.
        from streams.partitions import partition_of
        from streams.reading_ranges import Bounds, RangeReader

        partition = partition_of(query.machine_id, self._settings.broker.partitions)
        # What was measured later was sent later.
        bounds = Bounds(from_ms=query.from_ms, partitions=[partition])
        found: list[tuple[int, Decoded]] = []
        async with RangeReader(self._settings.broker) as reader:
            async for run in reader.read(await reader.find(self._topic, bounds)):
                found += self._wanted(run.records, query)
        return _readings(found, self._topic, partition)

    def _wanted(self, records: Iterable[Any], query: Query) -> Iterator[tuple[int, Decoded]]:
        """The machine's readings among ``records``, with their offsets."""
        key, most_bytes = query.machine_id.encode(), self._settings.worker.max_message_bytes
        for record in records:
            if record.key != key or record.value is None or len(record.value) > most_bytes:
                continue
            try:
                reading = decode_reading(record.value)
            except BadReading:
                continue
            ours = (reading.client_id, reading.machine_id) == (query.client_id, query.machine_id)
            if ours and query.from_ms <= reading.time_ms <= query.to_ms:
                yield record.offset, reading


def _readings(found: list[tuple[int, Decoded]], topic: str, partition: int) -> Readings:
    signals = tuple(dict.fromkeys(name for _, reading in found for name in reading.values))
    values = [[reading.values.get(name, math.nan) for name in signals] for _, reading in found]
    return Readings(
        signals,
        np.array([offset for offset, _ in found], np.int64),
        np.array([reading.time_ms for _, reading in found], np.int64),
        np.array(values, np.float64).reshape(len(found), len(signals)),
        np.array([reading.psi_per_unit for _, reading in found], np.float64),
        np.array([reading.bad for _, reading in found], bool),
        topic,
        partition,
        [reading.tag for _, reading in found],
    )
