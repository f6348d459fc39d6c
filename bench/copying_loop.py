"""What no worker can be faster than here: aiokafka alone, which answers each reading with a label-sized record.

    python -m bench.copying_loop BROKER PREFIX

Nothing is decoded, judged or kept; what it answers has the length of a label and the reading's time in it. Readings that
come from when it says "copying" on are answered, until it is told to end.
"""

import asyncio
import contextlib
import signal
import sys
from typing import Any

from aiokafka import TopicPartition

from bench.clients import partitions_of, send_run, start_clients
from schemas.times import iso
from schemas.topics import topics

_LABEL_BYTES = 690


async def copy(url: str, prefix: str) -> None:
    """Answer readings for ever."""
    names = topics(prefix)
    consumer, producer = await start_clients(url)
    homes = await partitions_of(consumer, names.readings.name)
    consumer.assign(homes)
    await consumer.seek_to_end()
    print("copying", flush=True)
    pending: set[asyncio.Future[object]] = set()
    while True:
        for tp, records in (await consumer.getmany(timeout_ms=500)).items():
            home = TopicPartition(names.labels.name, tp.partition)
            pending |= await send_run(producer, home, [(record.key, _answer(record)) for record in records])
            pending = {future for future in pending if not future.done()}


def _answer(record: Any) -> bytes:
    """As long as a label, and with the time that a label of the reading would have."""
    return (b'{"event_time":"%s"' % iso(record.timestamp).encode()).ljust(_LABEL_BYTES)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(copy(sys.argv[1], sys.argv[2]))
