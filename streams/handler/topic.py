"""Readings from a stretch of the readings topic: those that a worker judged, or would."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from schemas.decoding import Decoded, decode_reading
from schemas.errors import BadReading, BrokerError
from streams.handler.sources import Query, Readings
from streams.settings import Settings

#: Asks the broker at most so long for more: an empty answer at the end of the partition is the end.
_POLL_MS: Final = 250
_AT_ONCE: Final = 10_000


class TopicSource:
    """The machine's own partition, read without a group and without disturbing anybody; labels get the worker's ids."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._topic = settings, settings.topics.readings.name

    def load(self, query: Query) -> Readings:
        """The machine's readings, in the order of their offsets. What is no reading is left out, as the worker rejects it.

        Raises :class:`BrokerError` if Kafka cannot be reached or has no such topic.
        """
        from streams.partitions import partition_of

        broker = self._settings.broker
        partition = partition_of(query.machine_id, broker.partitions)
        key = query.machine_id.encode()
        found: list[tuple[int, Decoded]] = []
        for record in self._records(partition, query.from_ms):
            if record.key != key or record.value is None or len(record.value) > self._settings.worker.max_message_bytes:
                continue
            try:
                reading = decode_reading(record.value)
            except BadReading:
                continue
            ours = (reading.client_id, reading.machine_id) == (query.client_id, query.machine_id)
            if ours and query.from_ms <= reading.time_ms <= query.to_ms:
                found.append((record.offset, reading))
        return _readings(found, self._topic, partition)

    def _records(self, partition: int, from_ms: int) -> Iterator[Any]:
        """Records of a partition that were sent at ``from_ms`` or later: what was measured later was sent later."""
        from kafka import KafkaConsumer, TopicPartition
        from kafka.errors import KafkaError

        from streams.access.broker import for_kafka_python, no_topic

        place = TopicPartition(self._topic, partition)
        try:
            consumer = KafkaConsumer(
                **for_kafka_python(self._settings.broker), enable_auto_commit=False, auto_offset_reset="earliest"
            )
            try:
                if partition not in (consumer.partitions_for_topic(self._topic) or ()):
                    raise no_topic(f"{self._topic} with a partition {partition}")
                consumer.assign([place])
                first = consumer.offsets_for_times({place: from_ms}).get(place)
                end = consumer.end_offsets([place])[place]
                if first is None:
                    consumer.seek_to_beginning(place)
                else:
                    consumer.seek(place, first.offset)
                while True:
                    records = consumer.poll(_POLL_MS, max_records=_AT_ONCE).get(place, ())
                    yield from records
                    if not records and consumer.position(place) >= end:
                        return
            finally:
                consumer.close()
        except KafkaError as error:
            raise BrokerError(f"{self._topic} on {self._settings.broker.url} cannot be read: {error}") from error


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
