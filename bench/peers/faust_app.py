"""Faust as its documentation shows it: a Record, a Table, an agent, ``send`` for each label.

python -m bench.peers.faust_app BROKER PREFIX COUNT
"""

import asyncio
import json
import sys
import tempfile
from typing import Any

import faust

from bench.peers.steps import Model, Reading, encode, judge, machine_of, state_of


class ReadingRecord(faust.Record, serializer="json"):  # type: ignore[misc]
    """A wide reading."""

    client_id: str
    machine_id: str
    time: float
    casing_pressure: float | None = None
    tubing_pressure: float | None = None


def make_app(url: str, prefix: str, models: dict[tuple[str, str], Model]) -> Any:
    """The application; it commits every few seconds by itself."""
    app = faust.App(
        f"{prefix}-faust",
        broker=f"kafka://{url}",
        store="memory://",
        topic_partitions=8,
        datadir=tempfile.mkdtemp(),
        web_enabled=False,
        autodiscover=False,
    )
    readings = app.topic(f"{prefix}.readings", value_type=ReadingRecord, key_type=bytes)
    labels = app.topic(f"{prefix}.labels", value_type=bytes, key_type=bytes, value_serializer="raw")
    table = app.Table(f"{prefix}-machines", partitions=8)

    @app.agent(readings)  # type: ignore[misc]
    async def label_readings(stream: Any) -> None:
        async for event in stream.events():
            one, message = event.value, event.message
            key = f"{one.client_id}/{one.machine_id}"
            state = table.get(key)
            machine = machine_of(None if state is None else json.loads(state))
            reading = Reading(one.client_id, one.machine_id, one.time, one.casing_pressure, one.tubing_pressure)
            model = models.get((one.client_id, one.machine_id))
            label = judge(machine, model, reading, message.topic, message.partition, message.offset)
            table[key] = json.dumps(state_of(machine))
            if label is not None:
                await labels.send(key=message.key, value=encode(label))

    return app


async def read_models(url: str, prefix: str) -> dict[tuple[str, str], Model]:
    """All models on the topic."""
    from aiokafka import AIOKafkaConsumer

    from bench.peers import plain_loop

    consumer = AIOKafkaConsumer(bootstrap_servers=url, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    found = await plain_loop.read_models(consumer, f"{prefix}.models")
    await consumer.stop()
    return found


if __name__ == "__main__":
    known = asyncio.run(read_models(sys.argv[1], sys.argv[2]))
    worker = faust.Worker(make_app(sys.argv[1], sys.argv[2], known), loglevel="WARNING")
    worker.execute_from_commandline()
