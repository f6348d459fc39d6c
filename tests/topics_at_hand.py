"""A broker's topics for tests: written to, and read to their end."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.access.broker import for_kafka_python
from streams.partitions import partition_of
from streams.settings import BrokerSettings, Settings
from streams.topics_admin import create_topics


class TopicsAtHand:
    """The topics of one installation, just created."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.topics = settings.topics
        self._readers: list[Reader] = []
        create_topics(settings)

    def send(self, topic: str, records: Iterable[tuple[bytes | None, bytes | None]], machine: str | None = None) -> int:
        """Send records, each to the partition of its key (or of ``machine``); how many."""
        producer = KafkaProducer(
            **for_kafka_python(self.settings.broker),
            acks="all",
            enable_idempotence=False,
            linger_ms=5,
            max_in_flight_requests_per_connection=1,  # so that a retry cannot change the order
        )
        count = 0
        try:
            for key, value in records:
                count += 1
                home = machine if machine is not None else (key or b"").decode(errors="replace")
                producer.send(
                    topic, key=key, value=value, partition=partition_of(home, self.settings.broker.partitions)
                )
            producer.flush()
        finally:
            producer.close()
        return count

    def feed(self, readings: Iterable[dict[str, Any]]) -> int:
        """Send readings as JSON."""
        return self.send(
            self.topics.readings.name,
            ((str(reading["machine_id"]).encode(), msgspec.json.encode(reading)) for reading in readings),
        )

    def reader(self, topic: str) -> "Reader":
        """Reads a topic from its start, whenever asked how far it has come."""
        reader = Reader(self.settings.broker, topic)
        self._readers.append(reader)
        return reader

    def close(self) -> None:
        """Let go of the broker."""
        for reader in self._readers:
            reader.close()


class Reader:
    """All records of a topic so far."""

    def __init__(self, broker: BrokerSettings, topic: str) -> None:
        self._consumer = KafkaConsumer(**for_kafka_python(broker), auto_offset_reset="earliest", fetch_max_wait_ms=100)
        self._consumer.assign([TopicPartition(topic, number) for number in range(broker.partitions)])
        self._consumer.seek_to_beginning()
        self.records: list[Any] = []

    def more(self) -> list[Any]:
        """Everything that has come so far."""
        found = self._consumer.poll(200, max_records=20_000)
        for records in found.values():
            self.records += records
        return self.records

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()


#: Makes the topics of an installation: the fixture ``at``.
AtHand = Callable[[Settings], TopicsAtHand]
