"""Following the topics into the picture, in no consumer group: nobody else notices.

What was before the start comes first: the latest of each machine, all incidents, feedback and models of their topics, and so
many labels as a sparkline has. From then on whatever comes, as it comes. Behind a broker that is gone aiokafka waits for it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.feedback import Feedback
from schemas.topics import Topics
from streams.access.broker import for_aiokafka
from streams.dashboard.events.tail import Tail
from streams.dashboard.health.rejections import Rejections, see_rejected
from streams.dashboard.machines import SPARK
from streams.dashboard.picture import Picture
from streams.dashboard.seen import (
    NOT_SEEN,
    LabelSeen,
    see_incident,
    see_label,
    see_model,
    see_status,
)
from streams.feedback.reading import read_one
from streams.log import get_logger
from streams.settings import Settings

log = get_logger(__name__)

_FETCH_MS: Final = 100
#: Between two turns of the event loop no more than this is taken in: some 10 ms.
_AT_ONCE: Final = 1_000
_MOST_LABELS_BACK: Final = 200_000
#: And so many at least, a second's work: of what DynamoDB does not have yet a machine's chart shows what is read here.
_LEAST_LABELS_BACK: Final = 50_000
_REJECTED_BACK: Final = 20

#: Gets the labels of a fetch, each with the moment at which Kafka got it.
Listener = Callable[[list[tuple[LabelSeen, int]]], None]


class Following:
    """Reads topics into a picture until it is cancelled."""

    def __init__(
        self,
        settings: Settings,
        picture: Picture,
        rejections: Rejections,
        listeners: Iterable[Listener] = (),
        tails: Iterable[Tail] = (),
    ) -> None:
        self._settings, self._picture, self._rejections = settings, picture, rejections
        self._tails = tuple(tails)  # get all records as they are
        self._listeners = (picture.take_labels, *listeners)
        self.caught_up = asyncio.Event()  # all that was there at the start has been taken in
        self.skipped = 0  # records that are not what their topic promises
        self.lag = 0  # label records that are there and not taken in yet
        self._next: dict[TopicPartition, int] = {}  # offsets
        self._takes = self._how_to_take(settings.topics)

    async def run(self) -> None:
        """For ever. Raises :class:`schemas.errors.BrokerError` where the broker cannot be reached at the start."""
        consumer = AIOKafkaConsumer(
            **for_aiokafka(self._settings.broker),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_FETCH_MS,
            max_partition_fetch_bytes=1_000_000,
        )
        await consumer.start()
        try:
            await self._what_was(consumer)
            for tail in self._tails:
                for tp in tail.partitions:
                    tail.stands_at(tp, await consumer.position(tp))
            self.caught_up.set()
            log.info(
                "caught up",
                action="caught_up",
                rows=len(self._picture.rows),
                incidents=len(self._picture.incidents.cases),
            )
            while True:
                await self._take_some(consumer)
                self.lag = self._behind(consumer)
        finally:
            await consumer.stop()

    async def _what_was(self, consumer: AIOKafkaConsumer) -> None:
        """Everything up to the ends as they are now, and labels from shortly before theirs."""
        topics = self._settings.topics
        whole = self._partitions_of(topics.status, topics.incidents, topics.feedback, topics.models)
        consumer.assign(whole)
        await self._up_to(consumer, await consumer.end_offsets(whole))
        labels, rejected = self._partitions_of(topics.labels), self._partitions_of(topics.rejected)
        consumer.assign([*whole, *labels, *rejected])  # positions of those that stay are kept
        wanted = max(_LEAST_LABELS_BACK, SPARK * len(self._picture.rows))
        labels_back = min(_MOST_LABELS_BACK, wanted) // len(labels)
        await self._up_to(
            consumer,
            {
                **await self._back_from_end(consumer, labels, labels_back),
                **await self._back_from_end(consumer, rejected, _REJECTED_BACK),
            },
        )

    @staticmethod
    async def _back_from_end(
        consumer: AIOKafkaConsumer, partitions: list[TopicPartition], back: int
    ) -> dict[TopicPartition, int]:
        """Begin with the last ``back`` records of each partition; where these end now."""
        firsts, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        for tp in partitions:
            consumer.seek(tp, max(firsts[tp], ends[tp] - back))
        return dict(ends)

    async def _up_to(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        left = set(ends)
        while left:
            await self._take_some(consumer)
            left = {tp for tp in left if await consumer.position(tp) < ends[tp]}

    async def _take_some(self, consumer: AIOKafkaConsumer) -> None:
        for tp, records in (await consumer.getmany(timeout_ms=_FETCH_MS, max_records=_AT_ONCE)).items():
            self._takes[tp.topic](records)
            for tail in self._tails:
                tail.take(tp, records)
            self._next[tp] = records[-1].offset + 1
        await asyncio.sleep(0)

    def _behind(self, consumer: AIOKafkaConsumer) -> int:
        ends = {tp: consumer.highwater(tp) for tp in self._partitions_of(self._settings.topics.labels)}
        return sum(max(0, end - self._next[tp]) for tp, end in ends.items() if end is not None and tp in self._next)

    def _partitions_of(self, *topics: Any) -> list[TopicPartition]:
        numbers = range(self._settings.broker.partitions)
        return [TopicPartition(one.name, number) for one in topics for number in numbers]

    def _how_to_take(self, topics: Topics) -> dict[str, Callable[[list[Any]], None]]:
        return {
            topics.labels.name: self._labels,
            topics.status.name: lambda records: self._each(
                records, lambda record: self._picture.take_status(see_status(record.value), record.timestamp)
            ),
            topics.incidents.name: lambda records: self._each(
                records, lambda record: self._picture.take_incident(see_incident(record.value))
            ),
            topics.feedback.name: lambda records: self._each(
                records, lambda record: self._picture.take_feedback(self._feedback(record))
            ),
            topics.rejected.name: lambda records: self._each(
                records, lambda record: self._rejections.take(see_rejected(record.value), record.timestamp)
            ),
            topics.models.name: lambda records: self._each(
                records, lambda record: self._picture.take_model(see_model(record.value))
            ),
        }

    def _feedback(self, record: Any) -> Feedback:
        return read_one(TopicPartition(record.topic, record.partition), record, self._settings.broker.partitions)

    def _labels(self, records: list[Any]) -> None:
        seen: list[tuple[LabelSeen, int]] = []
        self._each(records, lambda record: seen.append((_placed(record), record.timestamp)))
        for listener in self._listeners:
            listener(seen)

    def _each(self, records: list[Any], take: Callable[[Any], None]) -> None:
        """What cannot be read is counted and passed over: the board shows the rest."""
        for record in records:
            if record.value is None:
                continue
            try:
                take(record)
            except NOT_SEEN as error:
                self.skipped += 1
                log.warning(
                    "a record that is not what its topic promises",
                    action="skip",
                    place=f"{record.topic}/{record.partition}/{record.offset}",
                    why=str(error)[:200],
                )


def _placed(record: Any) -> LabelSeen:
    label = see_label(record.value)
    label.at_offset = record.offset
    return label
