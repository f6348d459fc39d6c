"""What people said of machines, as far as it decides who is told: kept in memory, read from the topic's start."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from models.feedback import standing
from models.notices.quiet import KINDS, who_quiets
from schemas.errors import BrokerError
from schemas.feedback import Feedback
from schemas.incidents import Incident
from streams.access.broker import for_aiokafka, no_topic
from streams.access.why import start
from streams.feedback.reading import read_feedback
from streams.log import ThrottledWarnings, get_logger
from streams.settings import Settings

log = get_logger(__name__)

_FETCH_MS: Final = 200
#: The embedded broker reports ends that are too low: nothing new for so long is the end.
_QUIET_S: Final = 1.0


class Said:
    """The feedback that can quiet an incident, by machine."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._of_machine: dict[tuple[str, str], list[Feedback]] = {}
        self._tell = ThrottledWarnings(log)

    def take(self, tp: TopicPartition, records: Sequence[Any], partitions: int) -> None:
        """Take in records of the feedback topic, which has so many partitions, in their order."""
        for _, said in read_feedback(tp, records, partitions, self._tell):
            if said.kind in KINDS:
                self._of_machine.setdefault((said.client_id, said.machine_id), []).append(said)

    def who_quiets(self, incident: Incident) -> Feedback | None:
        """What was said because of which ``incident`` is not told now; None where nothing was."""
        said = self._of_machine.get((incident.client_id, incident.machine_id))
        return who_quiets(incident, standing(said), self._clock()) if said else None


async def follow_feedback(settings: Settings, said: Said, caught_up: asyncio.Event) -> None:
    """Read feedback into ``said`` for ever; ``caught_up`` is set once all that was there at the start is in it.

    Raises :class:`BrokerError` if Kafka cannot be reached, has no such topic or does not let us read it.
    """
    topic = settings.topics.feedback.name
    consumer = AIOKafkaConsumer(
        **for_aiokafka(settings.broker),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_FETCH_MS,
    )
    try:
        await start(consumer, settings.broker)
        if topic not in await consumer.topics():  # aiokafka would ask for it for ever
            raise no_topic(topic)
        partitions = [TopicPartition(topic, number) for number in range(settings.broker.partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        quiet_since_s = time.monotonic()
        while True:
            fetched = await consumer.getmany(timeout_ms=_FETCH_MS)
            for tp, records in fetched.items():
                said.take(tp, records, len(partitions))
            if fetched:
                quiet_since_s = time.monotonic()
            elif not caught_up.is_set() and time.monotonic() - quiet_since_s >= _QUIET_S and await _at(consumer, ends):
                caught_up.set()
    except KafkaError as error:
        raise BrokerError(f"{topic} on {settings.broker.url} cannot be read: {error}") from error
    finally:
        await consumer.stop()


async def _at(consumer: Any, ends: dict[TopicPartition, int]) -> bool:
    for tp, end in ends.items():
        if await consumer.position(tp) < end:
            return False
    return True
