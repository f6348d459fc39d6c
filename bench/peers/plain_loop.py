"""aiokafka alone with the steps in plain Python, record by record. State in memory, lost at a crash; nothing committed.

python -m bench.peers.plain_loop BROKER PREFIX COUNT
"""

import asyncio
import sys
from typing import Any

from aiokafka import AIOKafkaConsumer

from bench.clients import partitions_of, start_clients
from bench.peers.steps import Machine, Model, decode_model, decode_reading, encode, judge
from streams.runs.collecting import keep_what_is_there


async def main(url: str, prefix: str, count: int) -> None:
    """Label ``count`` readings and end."""
    consumer, producer = await start_clients(url)
    topic, labels = f"{prefix}.readings", f"{prefix}.labels"
    homes = await partitions_of(consumer, topic)
    models = await read_models(consumer, f"{prefix}.models")
    consumer.assign(homes)
    machines: dict[tuple[str, str], Machine] = {}
    keep_what_is_there()
    done = 0
    pending: set[Any] = set()
    while done < count:
        for tp, records in (await consumer.getmany(timeout_ms=500, max_records=4_000)).items():
            batch = producer.create_batch()
            for record in records:
                reading = decode_reading(record.value)
                key = (reading.client_id, reading.machine_id)
                machine = machines.get(key)
                if machine is None:
                    machine = machines[key] = Machine()
                label = judge(machine, models.get(key), reading, topic, tp.partition, record.offset)
                if label is not None:
                    value = encode(label)
                    if batch.append(key=record.key, value=value, timestamp=None) is None:
                        pending.add(await producer.send_batch(batch, labels, partition=tp.partition))
                        batch = producer.create_batch()
                        batch.append(key=record.key, value=value, timestamp=None)
            pending.add(await producer.send_batch(batch, labels, partition=tp.partition))
            pending = {future for future in pending if not future.done()}
            done += len(records)
    await asyncio.gather(*pending)
    await producer.stop()
    await consumer.stop()


async def read_models(consumer: AIOKafkaConsumer, topic: str) -> dict[tuple[str, str], Model]:
    """All models on the topic, by client and machine."""
    consumer.assign(await partitions_of(consumer, topic))
    ends = await consumer.end_offsets(list(consumer.assignment()))
    found: dict[tuple[str, str], Model] = {}
    while any([await consumer.position(tp) < end for tp, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                model = decode_model(record.value)
                found[model.client_id, model.machine_id] = model
    return found


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
