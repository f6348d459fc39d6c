"""From reading to label: the newest label of each partition is looked up now and then, and the reading that it is of."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.access.broker import for_aiokafka
from streams.dashboard.seen import LabelSeen
from streams.settings import Settings

_EVERY_S: Final = 5.0
_ANSWER_WITHIN_MS: Final = 2_000
_KEPT: Final = 400
#: Enough for the batch that a reading is in, and no more: only its timestamp is wanted.
_FETCH_BYTES: Final = 16_384


class Latency:
    """Milliseconds between what Kafka says of a reading and of its label, of the last samples."""

    def __init__(self) -> None:
        self.samples_ms: deque[int] = deque(maxlen=_KEPT)
        self._newest: dict[int, tuple[int, int]] = {}  # by partition: offset of the reading, when the label came

    def take(self, labels: Iterable[tuple[LabelSeen, int]]) -> None:
        """Labels, each with the moment at which Kafka got it."""
        for label, heard_ms in labels:
            if label.revision == 0:  # what is issued again is late by its nature
                self._newest[label.source_partition] = (label.source_offset, heard_ms)

    def percentile_ms(self, share: float) -> int | None:
        """What ``share`` of the samples keep; None while there is none.

        >>> latency = Latency()
        >>> latency.samples_ms.extend([3, 1, 2])
        >>> latency.percentile_ms(0.5), Latency().percentile_ms(0.5)
        (2, None)
        """
        ordered = sorted(self.samples_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None

    async def sample(self, settings: Settings) -> None:
        """For ever. A broker that is gone is asked again."""
        consumer = AIOKafkaConsumer(
            **for_aiokafka(settings.broker), enable_auto_commit=False, max_partition_fetch_bytes=_FETCH_BYTES
        )
        await consumer.start()
        try:
            while True:
                await asyncio.sleep(_EVERY_S)
                wanted, self._newest = self._newest, {}
                if wanted:
                    await self._look_up(consumer, settings.topics.readings.name, wanted)
        finally:
            await consumer.stop()

    async def _look_up(self, consumer: AIOKafkaConsumer, topic: str, wanted: dict[int, tuple[int, int]]) -> None:
        left = {TopicPartition(topic, partition): found for partition, found in wanted.items()}
        try:
            consumer.assign(list(left))
            for tp, (offset, _) in left.items():
                consumer.seek(tp, offset)
            for tp, records in (await consumer.getmany(timeout_ms=_ANSWER_WITHIN_MS)).items():
                offset, heard_ms = left[tp]
                if records[0].offset == offset:
                    self.samples_ms.append(max(0, heard_ms - records[0].timestamp))
        except KafkaError:
            pass  # they are gone, or the broker is
        # Not where we are told to end: a consumer that is stopped while it lets go of partitions never stops.
        consumer.assign([])
