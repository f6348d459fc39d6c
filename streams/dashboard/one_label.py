"""One label as it was given, by its id: from its topic while it is new, else out of DynamoDB, else from wherever it is."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec
from aiokafka import TopicPartition

from schemas.decoding import decode_reading
from schemas.errors import BadReading, LabelNotFound, StoreError
from schemas.labels import Label
from streams.dashboard.history import AsksStore
from streams.dashboard.recent import Recent
from streams.dashboard.viewer import Viewer
from streams.label_store import LabelStore
from streams.reading_ranges import Bounds, Range, RangeReader
from streams.registry import Registry
from streams.reproduce.evidence import FoundIn
from streams.reproduce.gathering import Gathering
from streams.reproduce.label_ids import LabelId
from streams.reproduce.places import OnTopics
from streams.settings import Settings

_HOUR_MS: Final = 3_600_000
#: Each takes a connection to Kafka of its own, for a moment.
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Near:
    """Where to look: whose label it is, and the event time (epoch ms), about."""

    client_id: str
    machine_id: str
    time_ms: int


class OneLabel:
    """Finds labels for viewers, each of whom finds those of their own clients alone."""

    def __init__(self, settings: Settings, recent: Recent, stored: AsksStore) -> None:
        self._settings, self._recent, self._stored = settings, recent, stored
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def find(self, wanted: LabelId, near: Near | None, viewer: Viewer) -> tuple[Label, FoundIn]:
        """The label and where it was. ``near`` saves looking for its reading.

        Raises :class:`LabelNotFound` where there is none, or none that ``viewer`` may see.
        """
        async with self._room:
            label, found_in = await self._find(wanted, near, viewer)
        if not viewer.sees(label.client_id):
            raise unknown(wanted)
        return label, found_in

    async def _find(self, wanted: LabelId, near: Near | None, viewer: Viewer) -> tuple[Label, FoundIn]:
        place = self._recent.find(*wanted)
        if place is not None and viewer.sees(place.key[0]):
            label = await self._as_it_came(wanted, place.heard_ms)
            if label is not None:
                return label, "topic"
        near = near or await self._of_its_reading(wanted)
        if near is not None and not viewer.sees(near.client_id):
            raise unknown(wanted)
        if near is not None and (label := await self._out_of_table(wanted, near)) is not None:
            return label, "table"
        return await asyncio.to_thread(self._anywhere, wanted, near), "topic"

    async def _as_it_came(self, wanted: LabelId, heard_ms: int) -> Label | None:
        """From the labels topic, where Kafka says when it came. Readings and labels of a machine have the same partition."""
        bounds = Bounds(from_ms=heard_ms, to_ms=heard_ms + 1, partitions=[wanted.partition])
        async with RangeReader(self._settings.broker) as reader:
            ranges = await reader.find(self._settings.topics.labels.name, bounds)
            async with aclosing(reader.read(ranges)) as runs:
                async for run in runs:
                    for record in run.records:
                        label = msgspec.json.decode(record.value or b"null") or {}
                        if label.get("label_id") == str(wanted):
                            return Label.model_validate_json(record.value or b"")
        return None

    async def _of_its_reading(self, wanted: LabelId) -> Near | None:
        tp = TopicPartition(self._settings.topics.readings.name, wanted.partition)
        if wanted.partition >= self._settings.broker.partitions:
            return None
        async with RangeReader(self._settings.broker) as reader:
            there = (await reader.find(tp.topic, Bounds(partitions=[tp.partition])))[tp]
            if not there.first_offset <= wanted.offset < there.end_offset:
                return None
            async with aclosing(reader.read({tp: Range(wanted.offset, wanted.offset + 1)})) as runs:
                async for run in runs:
                    for record in run.records:
                        return _near(record.value)
        return None

    async def _out_of_table(self, wanted: LabelId, near: Near) -> Label | None:
        def read(store: LabelStore) -> Label | None:
            begin_ms, end_ms = max(0, near.time_ms - _HOUR_MS), near.time_ms + _HOUR_MS
            labels = store.read(near.client_id, near.machine_id, begin_ms, end_ms, wanted.stack)
            return next((label for label in labels if label.label_id == str(wanted)), None)

        try:
            return await self._stored.ask(read)
        except StoreError:
            return None  # it may be on its topic still

    def _anywhere(self, wanted: LabelId, near: Near | None) -> Label:
        if wanted.partition >= self._settings.broker.partitions:
            raise unknown(wanted)
        with OnTopics(self._settings) as places:
            gathering = Gathering(
                places,
                Registry(self._settings.registry),
                lambda *_: (),  # the table has been asked
                self._settings.worker.max_message_bytes,
            )
            try:
                return gathering.find_label(
                    wanted, near.client_id if near else None, near.machine_id if near else None
                )[0]
            except LabelNotFound as error:
                raise unknown(wanted) from error


def unknown(wanted: LabelId) -> LabelNotFound:
    """Of one that is not there, or that the asker may not see."""
    return LabelNotFound(
        f"there is no label {wanted} that you may see: neither on the labels topic nor in DynamoDB. Give the client, the "
        "machine and the time if it is older than the topics"
    )


def _near(reading: bytes | None) -> Near | None:
    try:
        found = decode_reading(reading or b"")
    except BadReading:
        return None
    return Near(found.client_id, found.machine_id, found.time_ms)
