"""Readings a second of one worker process, beside a bare aiokafka loop with the same engine, interleaved.

    python -m bench.readings_per_second [--readings 600000] [--machines 5000] [--rounds 3] [--broker HOST:PORT]

All readings and models are in Kafka before either starts. Measured from the first label's Kafka timestamp to the last
one's: the time the process takes to start is not part of it. Ratios hold better than absolute numbers.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time
import uuid

from kafka import KafkaConsumer, TopicPartition

from bench.fleet import create_topics, models, readings, send_all
from streams.parts.kafka_jars import KafkaJars

PARTITIONS = 8


def main() -> None:
    """Run both in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=600_000)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--broker", help="an Apache Kafka that runs already; else one is started")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        url = options.broker or stack.enter_context(KafkaJars()).url
        rates: dict[str, list[float]] = {"bare aiokafka loop": [], "wellsentry worker": []}
        for number in range(options.rounds):
            for name, start in (("bare aiokafka loop", _bare), ("wellsentry worker", _worker)):
                rate = _measure(url, options.readings, options.machines, start)
                rates[name].append(rate)
                print(f"round {number + 1}: {name}: {rate:,.0f} readings/s", flush=True)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    print(f"\n{options.machines:,} machines, {options.readings:,} readings, median of {options.rounds}:")
    for name, rate in medians.items():
        print(f"  {name:20} {rate:10,.0f} readings/s")
    pairs = [w / b for b, w in zip(rates["bare aiokafka loop"], rates["wellsentry worker"], strict=True)]
    print(f"  ratio worker / bare  {statistics.median(pairs):10.2f}  (min {min(pairs):.2f}, max {max(pairs):.2f})")


def _measure(url: str, count: int, machines: int, start: object) -> float:
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    create_topics(url, prefix, PARTITIONS)
    send_all(url, f"{prefix}.models", models(machines, PARTITIONS))
    send_all(url, f"{prefix}.readings", readings(count, machines, PARTITIONS))
    process = start(url, prefix, count)  # type: ignore[operator]
    try:
        return _rate(url, f"{prefix}.labels", count, process)
    finally:
        process.terminate()
        process.wait(30)


def _bare(url: str, prefix: str, count: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "bench.bare_loop", url, prefix, str(count)])


def _worker(url: str, prefix: str, count: int) -> "subprocess.Popen[bytes]":  # noqa: ARG001
    environment = {
        **os.environ,
        "WELLSENTRY_BROKER__URL": url,
        "WELLSENTRY_BROKER__TOPIC_PREFIX": prefix,
        "WELLSENTRY_BROKER__PARTITIONS": str(PARTITIONS),
        "WELLSENTRY_WORKER__APP_ID": f"{prefix}-worker",
        "WELLSENTRY_WORKER__TRAINING_REQUESTS": "false",
        "WELLSENTRY_LOG__LEVEL": "warning",
    }
    return subprocess.Popen([sys.executable, "-m", "streams.cli.main", "worker"], env=environment)


def _rate(url: str, topic: str, count: int, process: "subprocess.Popen[bytes]", within_s: float = 120.0) -> float:
    """Wait until all labels are there; labels a second between the first and the last."""
    consumer = KafkaConsumer(bootstrap_servers=url, auto_offset_reset="earliest")
    partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
    consumer.assign(partitions)
    deadline = time.monotonic() + within_s
    while sum(consumer.end_offsets(partitions).values()) < count:
        if time.monotonic() > deadline or process.poll() not in (None, 0):
            raise SystemExit(f"only {sum(consumer.end_offsets(partitions).values())} of {count} labels in {topic}")
        time.sleep(0.2)
    ends = consumer.end_offsets(partitions)
    first, last = [], []
    for tp in partitions:
        for offset, stamps in ((0, first), (ends[tp] - 1, last)):
            consumer.assign([tp])
            consumer.seek(tp, offset)
            found = consumer.poll(5_000, max_records=1)
            stamps += [record.timestamp for records in found.values() for record in records]
    consumer.close()
    return count / ((max(last) - min(first)) / 1000)


if __name__ == "__main__":
    main()
