"""The yardstick: aiokafka alone around the worker's own engine. No Faust, no state that survives, nothing committed.

python -m bench.bare_loop BROKER PREFIX COUNT
"""

import asyncio
import logging
import sys

import structlog
from aiokafka import TopicPartition

from bench.clients import partitions_of, send_run, start_clients
from models.engine.engine import Engine
from models.engine.labels import Stamp
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from schemas.topics import topics
from streams.runs.collecting import keep_what_is_there
from streams.worker.adoption import adopt, announce, read_updates
from streams.worker.alone import Alone
from streams.worker.limits import Limits


async def main(url: str, prefix: str, count: int) -> None:
    """Label ``count`` readings and end."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    names = topics(prefix)
    consumer, producer = await start_clients(url)
    homes = await partitions_of(consumer, names.readings.name)
    numbers = [tp.partition for tp in homes]
    machines = Machines(choose_stacks(["load"]), EngineSettings(refits=False))
    stamp, limits = Stamp(names.readings.name, "bench", "bench"), Limits(65_536, 100_000)
    engines = {p: Alone(Engine(machines, p), stamp, limits) for p in numbers}
    models = [TopicPartition(names.models.name, p) for p in numbers]
    consumer.assign(models)
    ends = await consumer.end_offsets(models)
    while any([await consumer.position(tp) < end for tp, end in ends.items()]):
        for tp, records in (await consumer.getmany(timeout_ms=500)).items():
            adopt(engines[tp.partition], announce(engines[tp.partition], read_updates(records))[0])
    consumer.assign(homes)
    keep_what_is_there()
    done = 0
    pending: set[asyncio.Future[object]] = set()
    while done < count:
        for tp, records in (await consumer.getmany(timeout_ms=500, max_records=4_000)).items():
            partition = engines[tp.partition]
            partition.take_status(partition.judge(records))
            home = TopicPartition(names.labels.name, tp.partition)
            pending |= await send_run(producer, home, partition.take_output().labels)
            pending = {future for future in pending if not future.done()}
            done += len(records)
    await asyncio.gather(*pending)
    await producer.stop()
    await consumer.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
