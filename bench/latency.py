"""From a reading's timestamp to its label at a consumer, at steady rates, and while every machine gets a new model.

    python -m bench.latency [--rates 5000 20000] [--seconds 20] [--machines 5000] [--rounds 3] [--json FILE]

Readings are stamped with the moment they are handed to the producer and sent every 5 ms; the consumer, a plain aiokafka one,
takes a label's moment of arrival. Feeder, broker, worker and consumer share this machine. The first seconds are left out.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.clients import partitions_of
from bench.contenders import PARTITIONS
from bench.fleet import create_topics, models, partition_of, send_all
from bench.workers import Ends, worker
from streams.parts.kafka_jars import KafkaJars

_EVERY_S = 0.005
_LEFT_OUT_S = 4.0


async def feed(url: str, topic: str, machines: int, rate: int, seconds: float) -> None:
    """``rate`` readings a second, each machine in turn, in small batches at even times."""
    producer = AIOKafkaProducer(bootstrap_servers=url, acks=1, linger_ms=0, max_batch_size=100_000)
    await producer.start()
    keys = [f"well-{i:05d}".encode() for i in range(machines)]
    homes = [partition_of(key, PARTITIONS) for key in keys]
    rng = np.random.default_rng(0)
    begun, sent = time.time(), 0
    while (now := time.time()) < begun + seconds:
        due = int((now - begun) * rate)
        batches = {}
        for i in range(sent, due):
            m = i % machines
            batch = batches.get(homes[m]) or batches.setdefault(homes[m], producer.create_batch())
            pressures = (rng.normal(300, 10), rng.normal(200, 10))
            body = b'{"client_id":"bench","machine_id":"%s","time":%.3f,"casing_pressure":%.1f,"tubing_pressure":%.1f}'
            batch.append(key=keys[m], value=body % (keys[m], time.time(), *pressures), timestamp=None)
        for home, batch in batches.items():
            await producer.send_batch(batch, topic, partition=home)
        sent = due
        await asyncio.sleep(max(0.0, _EVERY_S - (time.time() - now)))
    await producer.stop()


async def watch(url: str, topic: str, begun: float, seconds: float) -> list[float]:
    """Milliseconds of each label that came, by its reading's time."""
    consumer = AIOKafkaConsumer(bootstrap_servers=url, auto_offset_reset="latest", fetch_max_wait_ms=50)
    await consumer.start()
    homes = await partitions_of(consumer, topic)
    consumer.assign(homes)
    await consumer.seek_to_end()
    found: list[float] = []
    while time.time() < begun + seconds:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            now = time.time()
            if now < begun + _LEFT_OUT_S:
                continue
            found += [(now - _event_time_s(record.value)) * 1000 for record in records]
    await consumer.stop()
    return found


def _event_time_s(label: bytes) -> float:
    at = label.index(b'"event_time":"') + 14
    text = label[at : label.index(b'"', at)].decode()
    return float(np.datetime64(text.rstrip("Z"), "us").astype(np.int64)) / 1e6


async def refit_all(url: str, topic: str, machines: int, begun: float, seconds: float) -> None:
    """A new model for each machine, spread evenly over the time that is measured."""
    producer = AIOKafkaProducer(bootstrap_servers=url)
    await producer.start()
    start, span = begun + _LEFT_OUT_S, seconds - _LEFT_OUT_S - 1.0
    for number, (home, key, value) in enumerate(models(machines, PARTITIONS, seed=1)):
        wait = start + span * number / machines - time.time()
        if wait > 0.002:
            await asyncio.sleep(wait)
        await producer.send(topic, value, key=key, partition=home)
    await producer.stop()


async def measure(url: str, prefix: str, machines: int, rate: int, seconds: float, *further: object) -> list[float]:
    """Latencies at one rate; with ``further`` work going on at the same time."""
    begun = time.time()
    found, *_ = await asyncio.gather(
        watch(url, f"{prefix}.labels", begun, seconds),
        _in_a_process(url, f"{prefix}.readings", machines, rate, seconds),
        *further,  # type: ignore[arg-type]
    )
    return found


async def _in_a_process(url: str, topic: str, machines: int, rate: int, seconds: float) -> None:
    """The feeder has an interpreter of its own, so that it does not delay the one that takes the time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.latency", "--feed", url, topic, str(machines), str(rate), str(seconds)
    )
    await process.wait()


def quantiles(found: list[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    return {"p50_ms": float(np.percentile(found, 50)), "p99_ms": float(np.percentile(found, 99))}


@contextlib.contextmanager
def installation(machines: int) -> Iterator[tuple[str, str]]:
    """A broker with topics and models, and a worker that knows each machine's last hour."""
    with KafkaJars() as kafka:
        prefix = f"bench-{uuid.uuid4().hex[:8]}"
        create_topics(kafka.url, prefix, PARTITIONS)
        send_all(kafka.url, f"{prefix}.models", models(machines, PARTITIONS))
        with worker(kafka.url, prefix):
            asyncio.run(feed(kafka.url, f"{prefix}.readings", machines, machines, 40.0))
            Ends(kafka.url, f"{prefix}.labels").wait(machines * 39, 120.0)
            yield kafka.url, prefix


def main() -> None:
    """All rates, and the refits, in a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=int, nargs="+", default=[5_000, 20_000])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--feed", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.feed:
        url, topic, machines, rate, seconds = options.feed
        asyncio.run(feed(url, topic, int(machines), int(rate), float(seconds)))
        return
    found: dict[str, list[dict[str, float]]] = {}
    machines, seconds = options.machines, options.seconds
    with installation(machines) as (url, prefix):
        for _ in range(options.rounds):
            for rate in options.rates:
                calm = asyncio.run(measure(url, prefix, machines, rate, seconds))
                found.setdefault(f"{rate}/s", []).append(quantiles(calm))
                refits = refit_all(url, f"{prefix}.models", machines, time.time(), seconds)
                busy = asyncio.run(measure(url, prefix, machines, rate, seconds, refits))
                found.setdefault(f"{rate}/s, every machine refit once", []).append(quantiles(busy))
                print({name: runs[-1] for name, runs in found.items()}, flush=True)
    figures = {
        name: {which: round(statistics.median(run[which] for run in runs), 1) for which in runs[0]}
        for name, runs in found.items()
    }
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
