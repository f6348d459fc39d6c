"""Readings a second of one worker process, beside others at the same work, interleaved.

    python -m bench.readings_per_second [--readings 600000] [--machines 5000] [--rounds 3] [--broker HOST:PORT]
                                        [--only TEXT] [--json FILE]

All readings and models are in Kafka before anybody starts. Measured from the first label's Kafka timestamp to the last
one's: the time a process takes to start is not part of it. Ratios hold better than absolute numbers.
"""

import argparse
import contextlib
import time
import uuid
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from bench.contenders import OTHERS, PARTITIONS, WORKER, Contender, Process
from bench.figures import hand_on, median_of, taken_on
from bench.fleet import create_topics, delete_topics, models, readings, send_all
from streams.parts.kafka_jars import KafkaJars


def main() -> None:
    """Run all in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=600_000)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--broker", help="an Apache Kafka that runs already; else one is started")
    parser.add_argument("--only", help="only those whose name holds this, beside the worker", default="")
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    others = [one for one in OTHERS if options.only.lower() in one.name.lower()]
    print("\n".join(taken_on()), flush=True)
    rates: dict[str, list[float]] = {one.key: [] for one in (*others, WORKER)}
    with contextlib.ExitStack() as stack:
        url = options.broker or stack.enter_context(KafkaJars()).url
        for number in range(options.rounds):
            # Each round begins with another: who comes first finds a broker that has not compiled its code yet, and who
            # comes behind a slow one finds it idle.
            contenders = (*others, WORKER)
            first = number % len(contenders)
            for one in (*contenders[first:], *contenders[:first]):
                rate = measure(url, round(options.readings * one.share), options.machines, one)
                rates[one.key].append(rate)
                print(f"round {number + 1}: {one.name}: {rate:,.0f} readings/s", flush=True)
    print(f"\n{options.machines:,} machines, {options.readings:,} readings, medians of {options.rounds}:")
    ours = rates[WORKER.key]
    figures = {"worker_readings_per_s": median_of(ours, "readings/s")}
    for one in others:
        ratios = [mine / its for mine, its in zip(ours, rates[one.key], strict=True)]
        figures[f"{one.key}_readings_per_s"] = median_of(rates[one.key], "readings/s", name=one.name)
        figures[f"worker_to_{one.key}"] = median_of(ratios, "times as fast", name=one.name)
    hand_on(figures, options.json)


def measure(url: str, count: int, machines: int, one: Contender) -> float:
    """Labels a second of one contender, in topics of its own."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    create_topics(url, prefix, PARTITIONS)
    send_all(url, f"{prefix}.models", models(machines, PARTITIONS))
    send_all(url, f"{prefix}.readings", readings(count, machines, PARTITIONS))
    process = one.start(url, prefix, count)
    try:
        return labels_per_second(url, f"{prefix}.labels", count, process)
    finally:
        process.terminate()
        process.wait(60)
        delete_topics(url, prefix)


def labels_per_second(url: str, topic: str, count: int, process: Process, within_s: float = 240.0) -> float:
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
        if ends[tp] == 0:
            continue
        for offset, stamps in ((0, first), (ends[tp] - 1, last)):
            consumer.assign([tp])
            consumer.seek(tp, offset)
            found = consumer.poll(5_000, max_records=1)
            stamps += [record.timestamp for records in found.values() for record in records]
    consumer.close()
    return count / ((max(last) - min(first)) / 1000)


if __name__ == "__main__":
    main()
