"""Readings for as long as one likes, what becomes of the memory of worker and sink meanwhile, and how soon both end.

    python -m tests.chaos.soak --minutes 60 --history 1100

The slope is taken over the second half: by then windows, look-ups and buffers have their size. A machine's state
grows until it has 1,024 readings; with ``--history`` each has so many before the time begins, else what is seen is that they
fill.
"""

import argparse
import itertools
import json
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.label_store import LabelStore
from streams.partitions import partition_of
from streams.parts.dynamodb_jars import DynamoJars
from streams.parts.kafka_jars import KafkaJars
from streams.settings import Settings, load_settings
from streams.topics_admin import create_topics
from tests.processes import Process, running

_LOOK_EVERY_S = 5.0
_SLICES_PER_S = 20
#: Readings that wait to be judged while the histories are filled.
_MOST_AHEAD = 200_000


def main() -> None:
    """Feed, look, and say the slope."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--readings-per-s", type=int, default=5_000)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--history", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with KafkaJars() as kafka, DynamoJars() as dynamo, tempfile.TemporaryDirectory() as scratch:
        settings = _settings(kafka.url, dynamo.url)
        create_topics(settings)
        with LabelStore(settings.dynamodb) as store:
            store.ensure_table()
        directory = Path(scratch)
        with running("worker", settings, directory) as worker, running("sink", settings, directory) as sink:
            _soak(settings, {"worker": worker, "sink": sink}, chosen)


def _settings(kafka: str, dynamo: str) -> Settings:
    name = f"soak-{uuid.uuid4().hex[:8]}"
    return load_settings(
        broker={"url": kafka, "topic_prefix": name, "partitions": 4},
        worker={"app_id": f"{name}-worker"},
        sink={"app_id": f"{name}-sink"},
        dynamodb={
            "endpoint": dynamo,
            "table": f"{name}-labels",
            "ttl_days": 3650,
            "access_key_id": "local",
            "secret_access_key": "local",
        },
    )


def _soak(settings: Settings, processes: dict[str, Process], chosen: argparse.Namespace) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.broker.url, linger_ms=20, enable_idempotence=False)
    topic, partitions = settings.topics.readings.name, settings.broker.partitions
    fleet = _readings(chosen.machines, chosen.seed)
    homes: dict[bytes, int] = {}

    def send(count: int) -> None:
        for key, value in itertools.islice(fleet, count):
            home = homes.setdefault(key, partition_of(key.decode(), partitions))
            producer.send(topic, key=key, value=value, partition=home)

    _fill(settings, send, chosen.machines * chosen.history)
    began = time.monotonic()
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in processes}
    next_look_s, sent = 0.0, 0
    while (elapsed_s := time.monotonic() - began) < 60 * chosen.minutes:
        due = min(int(elapsed_s * chosen.readings_per_s) - sent, chosen.readings_per_s)
        send(due)
        sent += due
        if elapsed_s >= next_look_s:
            next_look_s += _LOOK_EVERY_S
            for name, process in processes.items():
                assert process.running, process.tail()
                seen[name].append((elapsed_s, resident_mb(process.pid)))
        time.sleep(1 / _SLICES_PER_S)
    producer.flush()
    producer.close()
    print(f"{sent:,} readings in {elapsed_s:.0f} s ({sent / elapsed_s:,.0f}/s)")
    for name, points in seen.items():
        half = points[len(points) // 2 :]
        print(
            f"{name}: {half[0][1]:.1f} MB at half time, {half[-1][1]:.1f} MB at the end, {slope(half):+.1f} MB an hour"
        )
    for name, process in processes.items():
        told = time.monotonic()
        status = process.end()
        print(f"{name}: ended with status {status} {time.monotonic() - told:.1f} s after it was told to")


def _fill(settings: Settings, send: Callable[[int], None], count: int) -> None:
    """Send ``count`` readings as fast as they are taken, and wait for the labels of all."""
    labels = [TopicPartition(settings.topics.labels.name, number) for number in range(settings.broker.partitions)]
    consumer = KafkaConsumer(bootstrap_servers=settings.broker.url)
    sent = 0
    while (judged := sum(consumer.end_offsets(labels).values())) < count:
        if sent < count and sent - judged < _MOST_AHEAD:
            step = min(_MOST_AHEAD // 4, count - sent)
            send(step)
            sent += step
        else:
            time.sleep(0.2)
    consumer.close()


def _readings(machines: int, seed: int) -> Iterator[tuple[bytes, bytes]]:
    """One reading of each machine after the other, a minute apart."""
    rng = random.Random(seed)
    minute = 0
    while True:
        for m in range(machines):
            body = {
                "client_id": "acme",
                "machine_id": f"well-{m:05d}",
                "time": 1_780_000_000 + 60 * minute,
                "casing_pressure": round(300 + rng.gauss(0, 3), 1),
                "tubing_pressure": 200.0,
            }
            yield f"well-{m:05d}".encode(), json.dumps(body).encode()
        minute += 1


def resident_mb(pid: int) -> float:
    """Memory of a process that is in RAM."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much is added in an hour, by the straight line through ``points`` (seconds, MB)."""
    seconds, megabytes = zip(*points, strict=True)
    return float(np.polyfit(seconds, megabytes, 1)[0] * 3600)


if __name__ == "__main__":
    main()
