"""One label as it was given, by its id: from its topic while it is new, else out of DynamoDB, else from wherever it is."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

import msgspec
from aiokafka import TopicPartition

from schemas.decoding import decode_reading
from schemas.errors import BadReading, LabelNotFound, StoreError
from schemas.labels import Label
from streams.dashboard.left_alone import AsksStore
from streams.dashboard.recent import Recent
from streams.dashboard.viewer import Viewer
from streams.label_store import LabelStore
from streams.reading_ranges import Range, RangeReader
from streams.registry import Registry
from streams.reproduce.evidence import FoundIn
from streams.reproduce.gathering import Gathering
from streams.reproduce.label_ids import LabelId
from streams.reproduce.places import OnTopics
from streams.settings import Settings

_HOUR_MS: Final = 3_600_000
#: Each takes a connection to Kafka of its own, for a moment.
_AT_ONCE: Final = 4
#: Who asks for a record that is still to come would wait for it. What is late by more is found by the longer way.
_RECORD_WITHIN_S: Final = 2.0
_RECORD_BYTES: Final = 65_536
_LAST_OFFSET: Final = 2**62


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
        if wanted.partition >= self._settings.broker.partitions or wanted.offset > _LAST_OFFSET:
            raise unknown(wanted)
        async with self._room:
            label, found_in = await self._find(wanted, near, viewer)
        if not viewer.sees(label.client_id):
            raise unknown(wanted)
        return label, found_in

    async def _find(self, wanted: LabelId, near: Near | None, viewer: Viewer) -> tuple[Label, FoundIn]:
        place = self._recent.find(*wanted)
        if place is not None and viewer.sees(place.key[0]):
            label = await self._as_it_came(wanted, place.at_offset)
            if label is not None:
                return label, "topic"
        near = near or await self._of_its_reading(wanted)
        if near is not None and not viewer.sees(near.client_id):
            raise unknown(wanted)
        if near is not None and (label := await self._out_of_table(wanted, near)) is not None:
            return label, "table"
        return await asyncio.to_thread(self._anywhere, wanted, near), "topic"

    async def _as_it_came(self, wanted: LabelId, at_offset: int) -> Label | None:
        """From the labels topic, in the partition that its reading has too: both have the machine for a key."""
        value = await self._record(TopicPartition(self._settings.topics.labels.name, wanted.partition), at_offset)
        found = msgspec.json.decode(value or b"null") or {}
        return Label.model_validate_json(value or b"") if found.get("label_id") == str(wanted) else None

    async def _of_its_reading(self, wanted: LabelId) -> Near | None:
        value = await self._record(TopicPartition(self._settings.topics.readings.name, wanted.partition), wanted.offset)
        try:
            found = decode_reading(value or b"")
        except BadReading:
            return None
        return Near(found.client_id, found.machine_id, found.time_ms)

    async def _record(self, tp: TopicPartition, offset: int) -> bytes | None:
        """What lies there; None where nothing does, be it that there never was, or not any more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RECORD_WITHIN_S), RangeReader(self._settings.broker, _RECORD_BYTES) as reader:
                found = await reader.peek({tp: Range(offset, offset + 1)})
                records = found[tp].records if tp in found else ()
                return next((record.value for record in records if record.offset == offset), None)
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
