"""Looking on: the topics of a running installation, read from their start without disturbing anybody."""

import asyncio
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.incidents import Incident
from schemas.labels import Label
from schemas.topics import Topics
from schemas.twins import twin
from streams.access.broker import for_aiokafka
from streams.demo.figures import Figures
from streams.settings import Settings

_label: Any = msgspec.json.Decoder(twin(Label))
_incident: Any = msgspec.json.Decoder(twin(Incident))
_FETCH_MS = 200


class _Asked(msgspec.Struct):
    client_id: str
    machine_id: str
    stack: str
    request_id: str


class _Model(msgspec.Struct):
    client_id: str
    machine_id: str
    stack: str
    digest: str
    request_id: str | None


_asked = msgspec.json.Decoder(_Asked)
_model = msgspec.json.Decoder(_Model)


class Watch:
    """Reads readings, labels, incidents, rejections, training requests and models into :class:`Figures`."""

    def __init__(self, settings: Settings, figures: Figures, keep: list[tuple[int, int, bytes]] | None = None) -> None:
        self._topics: Topics = settings.topics
        self._broker, self._partitions = settings.broker, settings.broker.partitions
        self._figures = figures
        self._keep = keep

    async def run(self) -> None:
        """For ever."""
        consumer = AIOKafkaConsumer(
            **for_aiokafka(self._broker),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_FETCH_MS,
            max_partition_fetch_bytes=4_000_000,
        )
        await consumer.start()
        topics = self._topics
        watched = (topics.readings, topics.labels, topics.incidents, topics.rejected, topics.training, topics.models)
        consumer.assign([TopicPartition(one.name, number) for one in watched for number in range(self._partitions)])
        try:
            while True:
                for tp, records in (await consumer.getmany(timeout_ms=_FETCH_MS, max_records=2_000)).items():
                    self._take(tp, records)
                await asyncio.sleep(0)
        finally:
            await consumer.stop()

    def _take(self, tp: TopicPartition, records: list[Any]) -> None:
        figures, topics = self._figures, self._topics
        if tp.topic == topics.readings.name:
            figures.readings += len(records)
            for record in records:
                figures.latencies.reading((tp.partition, record.offset), record.timestamp)
        elif tp.topic == topics.labels.name:
            for record in records:
                figures.add_label(record.value, _label.decode(record.value), record.timestamp)
                if self._keep is not None:
                    self._keep.append((tp.partition, record.offset, record.value))
        elif tp.topic == topics.incidents.name:
            for record in records:
                incident = _incident.decode(record.value)
                figures.incidents[incident.incident_id] = incident.state
        elif tp.topic == topics.rejected.name:
            figures.rejected += len(records)
        elif tp.topic == topics.training.name:
            for record in records:
                request = _asked.decode(record.value)
                figures.asked[request.client_id, request.machine_id, request.stack] = request.request_id
        else:
            for record in records:
                model = _model.decode(record.value)
                figures.models.add(model.digest)  # a fleet's goes to every partition and is still one
                if model.request_id is not None:
                    figures.answered[model.client_id, model.machine_id, model.stack] = model.request_id
