"""Sends feedback durably, under the key of its machine.

async with FeedbackSender(settings) as sender:
    await sender.send(said)
"""

import asyncio
from types import TracebackType
from typing import Any, Self

from aiokafka.errors import KafkaError

from schemas.errors import BrokerError
from schemas.feedback import Feedback
from streams.access.broker import no_topic
from streams.access.producer import started_producer
from streams.access.why import cannot_connect
from streams.feedback.places import home_of
from streams.settings import Settings


class FeedbackSender:
    """A producer of feedback, between entering and leaving."""

    def __init__(self, settings: Settings) -> None:
        self._broker, self._topic = settings.broker, settings.topics.feedback.name
        self._producer: Any = None
        self._partitions = 0

    async def __aenter__(self) -> Self:
        """Connect. Raises :class:`BrokerError` if Kafka cannot be reached, refuses, or has no such topic."""
        try:
            self._producer = await started_producer(self._broker)
        except (TimeoutError, KafkaError, OSError) as error:
            raise await asyncio.to_thread(cannot_connect, self._broker, error) from error
        try:
            cluster = await self._producer.client.fetch_all_metadata()
            self._partitions = len(cluster.partitions_for_topic(self._topic) or ())
            if not self._partitions:
                raise no_topic(self._topic)
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the broker."""
        await self._producer.stop()

    async def send(self, said: Feedback) -> None:
        """Return when ``said`` is durable. After a :class:`BrokerError` it may be sent again: its id counts once."""
        try:
            await self._producer.send_and_wait(
                self._topic,
                value=said.model_dump_json().encode(),
                key=said.machine_id.encode(),
                partition=home_of(said, self._partitions),
            )
        except KafkaError as error:
            raise BrokerError(
                f"Kafka at {self._broker.url} did not take feedback {said.feedback_id} of {said.by} about "
                f"{said.client_id}/{said.machine_id} for topic {self._topic}: {error!r}. Say it again; it counts once"
            ) from error
