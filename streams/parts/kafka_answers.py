"""Whether a broker answers in Kafka's protocol."""

import contextlib
import logging
from collections.abc import Iterator

from kafka import KafkaAdminClient
from kafka.errors import KafkaError


def kafka_answers(url: str) -> bool:
    """Whether the broker at ``url`` (host:port) names itself as a member of its cluster within two seconds."""
    with _quiet():
        try:
            client = KafkaAdminClient(bootstrap_servers=url, bootstrap_timeout_ms=2_000, request_timeout_ms=2_000)
        except KafkaError:
            return False
        try:
            return bool(client.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            client.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """A broker that is not there yet is what we expect here, not an error to log."""
    logger = logging.getLogger("kafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
