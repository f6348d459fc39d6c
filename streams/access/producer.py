"""A producer that loses nothing and, where the broker allows it, sends nothing twice."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.access.broker import for_aiokafka
from streams.settings import BrokerSettings


async def started_producer(broker: BrokerSettings, **options: Any) -> Any:
    """An aiokafka producer that has been started: acknowledged by all replicas, and idempotent if the broker knows how.

    ``options`` go to :class:`aiokafka.AIOKafkaProducer`. Raises what aiokafka raises where it cannot connect.
    """
    try:
        # aiokafka logs a refusal as an unexpected error, which it is not.
        with _silent("aiokafka.producer.sender"):
            return await _started(broker, idempotent=True, **options)
    except KafkaConnectionError:
        raise
    except KafkaError:
        # Not every broker that speaks Kafka's protocol gives producers an id, and each refuses in its own way.
        return await _started(broker, idempotent=False, **options)


async def _started(broker: BrokerSettings, *, idempotent: bool, **options: Any) -> Any:
    producer = AIOKafkaProducer(**for_aiokafka(broker), acks="all", enable_idempotence=idempotent, **options)
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


@contextmanager
def _silent(logger: str) -> Iterator[None]:
    log = logging.getLogger(logger)
    was, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = was
