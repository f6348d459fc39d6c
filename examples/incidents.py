"""Prints every incident once: BROKER=kafka:9092 python examples/incidents.py (needs aiokafka)."""

import asyncio
import json
import os

from aiokafka import AIOKafkaConsumer

BROKER, PREFIX = os.environ.get("BROKER", "localhost:9092"), os.environ.get("PREFIX", "wellsentry")


async def main() -> None:
    consumer = AIOKafkaConsumer(f"{PREFIX}.incidents", bootstrap_servers=BROKER, group_id="night-shift",
                                auto_offset_reset="earliest", enable_auto_commit=False)  # fmt: skip
    done: set[tuple[str, str]] = set()  # in earnest a table with this as its unique key
    async with consumer:
        async for record in consumer:
            incident = json.loads(record.value)
            if (this := (incident["incident_id"], incident["state"])) not in done:  # delivery is at least once
                print(incident["machine_id"], *reversed(this), incident["peak_surprise"], flush=True)
                done.add(this)
            await consumer.commit()  # after the work, so that none is missed


asyncio.run(main())
