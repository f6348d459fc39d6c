"""A topic beside those of production, for labels that were made again."""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.errors import BadSettings, BrokerError
from schemas.topics import DAY_MS
from streams.access.broker import for_aiokafka
from streams.access.why import start
from streams.reading_ranges import Bounds, RangeReader
from streams.runs.producing import Record, fill
from streams.settings import Settings
from streams.topics_admin import create_side_topic

_CONFIG: Final = {"cleanup.policy": "delete", "retention.ms": str(7 * DAY_MS)}


def check_side_topic(settings: Settings, name: str) -> None:
    """Raises :class:`BadSettings` if ``name`` is a topic of this installation: a replay must not write to it."""
    production = sorted(topic.name for topic in settings.topics)
    if name in production or name.startswith(f"{settings.broker.topic_prefix}."):
        raise BadSettings(
            f"{name} is, or looks like, a topic of this installation ({', '.join(production)}), to which a replay never "
            f"writes; name one beside them, such as replay-{settings.broker.topic_prefix}-labels"
        )


class SideTopic:
    """Takes labels in the partitions of their readings, under the keys of their machines."""

    def __init__(self, settings: Settings, name: str) -> None:
        check_side_topic(settings, name)
        self._settings, self.name = settings, name
        self._producer: Any = None
        self._sent: dict[int, int] = {}  # by partition: records that are there, or under way
        self._skip: dict[int, int] = {}  # by partition: records that come again and are there already
        self._pending: list[Awaitable[Any]] = []

    async def begin(self) -> None:
        """Make the topic if it is not there. Raises :class:`BadSettings` if it holds anything."""
        await asyncio.to_thread(create_side_topic, self._settings, self.name, _CONFIG)
        there = sum((await self._count()).values())
        if there:
            raise BadSettings(
                f"topic {self.name} holds {there} records already, and a replay writes to an empty one; "
                "name another, or delete it"
            )
        self._producer = await self._start()

    async def go_on(self, written: Mapping[int, int]) -> None:
        """Go on behind ``written`` records of each partition: what is there behind them is not sent again."""
        self._sent = dict(written)
        self._skip = {number: count - written.get(number, 0) for number, count in (await self._count()).items()}
        self._producer = await self._start()

    async def _count(self) -> dict[int, int]:
        async with RangeReader(self._settings.broker) as reader:
            ranges = await reader.find(self.name, Bounds())
        return {tp.partition: len(one) for tp, one in ranges.items()}

    async def _start(self) -> Any:
        broker = self._settings.broker
        options = {"acks": "all", "max_batch_size": broker.producer_batch_bytes}
        producer = AIOKafkaProducer(**for_aiokafka(broker), **options, enable_idempotence=True)
        try:
            await start(producer, broker)
        except BrokerError:  # the embedded broker gives producers no ids
            producer = AIOKafkaProducer(**for_aiokafka(broker), **options)
            await start(producer, broker)
        return producer

    async def write(self, partition: int, labels: Sequence[Record]) -> None:
        """Hand ``labels`` to the producer, but for those that are there already; waits for those before."""
        again = min(self._skip.get(partition, 0), len(labels))
        self._skip[partition] = self._skip.get(partition, 0) - again
        self._sent[partition] = self._sent.get(partition, 0) + len(labels)
        await self._settle()
        begin, now_ms = again, int(time.time() * 1000)
        while begin < len(labels):
            batch = self._producer.create_batch()
            begin = fill(batch, labels, begin, now_ms)
            self._pending.append(await self._producer.send_batch(batch, self.name, partition=partition))

    async def _settle(self) -> None:
        pending, self._pending = self._pending, []
        try:
            await asyncio.gather(*pending)
        except KafkaError as error:
            raise BrokerError(f"Kafka did not take labels for topic {self.name}: {error!r}") from error

    async def durable(self) -> dict[int, int]:
        """Records of each partition."""
        await self._settle()
        return dict(self._sent)

    async def close(self) -> None:
        """Let go of the broker."""
        if self._producer is not None:
            await self._producer.stop()
