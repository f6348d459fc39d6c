"""Readings and models onto their topics, on and on, while the programs are disturbed."""

import threading
from types import TracebackType
from typing import Self

from kafka import KafkaProducer

from streams.partitions import partition_of
from streams.settings import Settings
from streams.trainer.publishing import partitions_of
from tests.chaos.fleet import Fleet


class Feeding:
    """Sends a fleet's bursts one after the other from a thread of its own; a ``with`` ends it.

    How many bursts go out depends on how long the story takes, what is in them on the seed alone.
    """

    def __init__(self, settings: Settings, fleet: Fleet, every_s: float, model_every: int = 0) -> None:
        self._settings, self._fleet, self._every_s, self._model_every = settings, fleet, every_s, model_every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feeding")
        self._failure: BaseException | None = None
        self.bursts = 0
        self.models = 0
        self.bad = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        # One request at a time, so that a retry cannot change the order.
        producer = KafkaProducer(
            bootstrap_servers=self._settings.broker.url,
            acks="all",
            enable_idempotence=False,
            linger_ms=2,
            max_in_flight_requests_per_connection=1,
        )
        try:
            while not self._stop.wait(self._every_s):
                self._send_burst(producer)
                if self._model_every and self.bursts % self._model_every == 0:
                    self._send_model(producer)
            producer.flush()
        except BaseException as error:
            print(f"feeding failed: {error!r}")
            self._failure = error
        finally:
            producer.close()

    def _send_burst(self, producer: KafkaProducer) -> None:
        partitions, topic = self._settings.broker.partitions, self._settings.topics.readings.name
        for message in self._fleet.burst(self.bursts):
            home = partition_of(message.home, partitions)
            producer.send(topic, key=message.key, value=message.value, partition=home)
            self.bad += not message.good
        self.bursts += 1

    def _send_model(self, producer: KafkaProducer) -> None:
        update = self._fleet.update(self.models)
        for partition in partitions_of(update, self._settings.broker.partitions):
            producer.send(
                self._settings.topics.models.name,
                key=update.key,
                value=update.model_dump_json().encode(),
                partition=partition,
            )
        self.models += 1
