"""When labels come to a consumer. What arrives is kept as it is and looked into only afterwards.

A consumer that takes each label apart as it comes needs, in Python, a good part of a core at 20,000 labels a second, which
the worker on the same machine then lacks. Here a fetch is noted with the moment at which its bytes are there, and the next
one is asked for.
"""

import asyncio
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record import MemoryRecords
from aiokafka.structs import TopicPartition
from kafka import KafkaConsumer
from kafka import TopicPartition as Place

from bench.contenders import PARTITIONS

_WAIT_MS = 100
_MOST_BYTES = 5_000_000
_EVENT_TIME = b'"event_time":"'


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came at once of one partition."""

    at_s: float
    partition: int
    records: bytes


class Arrivals:
    """Collects all that is appended to a topic while the block runs, in a thread of its own."""

    def __init__(self, url: str, topic: str) -> None:
        self._url, self._topic = url, topic
        self._fetched: list[Fetched] = []
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._offsets = _ends(url, topic)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def take(self) -> list[Fetched]:
        """What came since the last call."""
        if self._failure is not None:
            raise SystemExit(f"the consumer of labels failed: {self._failure!r}")
        taken, self._fetched = self._fetched, []
        return taken

    def _run(self) -> None:
        try:
            asyncio.run(self._collect())
        except BaseException as error:
            self._failure = error

    async def _collect(self) -> None:
        client = AIOKafkaClient(bootstrap_servers=self._url)
        await client.bootstrap()
        await client._wait_on_metadata(self._topic)
        node = client.cluster.leader_for_partition(TopicPartition(self._topic, 0))
        try:
            while not self._stop.is_set():
                wanted = [(number, offset, _MOST_BYTES) for number, offset in self._offsets.items()]
                answer = await client.send(node, FetchRequest(_WAIT_MS, 1, 50_000_000, 0, [(self._topic, wanted)]))
                self._note(time.time(), answer)
        finally:
            await client.close()

    def _note(self, now: float, answer: Any) -> None:
        for _, partitions in answer.topics:
            for partition, error, *_, records in partitions:
                if error:
                    raise RuntimeError(f"partition {partition} of {self._topic}: Kafka's error {error}")
                if records:
                    self._fetched.append(Fetched(now, partition, records))
                    self._offsets[partition] = next_offset(records)


def next_offset(records: bytes) -> int:
    """The offset after those in ``records``, by the batches' heads alone."""
    at, found = 0, 0
    while at + 27 <= len(records):
        base, length = struct.unpack_from(">qi", records, at)
        if at + 12 + length > len(records):
            break  # cut off: it comes again, whole
        (delta,) = struct.unpack_from(">i", records, at + 23)
        found, at = base + delta + 1, at + 12 + length
    return found


def _ends(url: str, topic: str) -> dict[int, int]:
    consumer = KafkaConsumer(bootstrap_servers=url)
    ends = consumer.end_offsets([Place(topic, number) for number in range(PARTITIONS)])
    consumer.close()
    return {place.partition: offset for place, offset in ends.items()}


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels in columns, in the order of their arrival."""

    at_s: Any
    partition: Any
    event_s: Any  # their readings' times

    def __len__(self) -> int:
        return len(self.at_s)


def decode(fetched: list[Fetched]) -> Labels:
    """The labels in what was fetched."""
    at, partition, times = [], [], []
    for one in fetched:
        found = list(_event_times(one.records))
        at += [one.at_s] * len(found)
        partition += [one.partition] * len(found)
        times += found
    event_s = np.array(times, "datetime64[ms]").astype(np.int64) / 1000 if times else np.zeros(0)
    return Labels(np.array(at), np.array(partition, int), event_s)


def _event_times(records: bytes) -> Iterator[str]:
    batches = MemoryRecords(records)
    while batches.has_next():
        batch = batches.next_batch()
        if batch.is_control_batch:  # that a worker has claimed the partition
            continue
        for record in batch:
            label = record.value
            start = label.index(_EVENT_TIME) + len(_EVENT_TIME)
            yield label[start : label.index(b'"', start)].decode().rstrip("Z")
