"""Readings a second of a replay beside the worker's, over the same topics, one after the other.

    python -m bench.replay [--readings 600000] [--machines 5000] [--rounds 3] [--broker HOST:PORT] [--json FILE]

The worker labels all readings as in ``bench.readings_per_second``; then they are replayed under the models of then, to a
file of JSON lines, to a side topic, and compared with the labels given. ``judging`` is from the first reading judged to the
last label durable, as the worker is measured; ``in all`` is the whole command: finding out which models were in force when,
and, where it is asked for, the comparison.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import tempfile
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

from bench.contenders import PARTITIONS, WORKER
from bench.figures import hand_on, median_of, taken_on
from bench.fleet import create_topics, models, readings, send_all
from bench.readings_per_second import labels_per_second
from streams.parts.kafka_jars import KafkaJars
from streams.reading_ranges import Bounds
from streams.replay.plan import Asked
from streams.replay.whole import clean_up, prepare, replay
from streams.settings import load_settings

#: By name: where labels go, and whether they are compared.
_WAYS: Final[dict[str, tuple[dict[str, Any], bool]]] = {
    "file": ({"output": "labels.jsonl"}, False),
    "side_topic": ({"side_topic": "labels"}, False),
    "diff": ({}, True),
}


def main() -> None:
    """Measure in turn and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=600_000)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--broker", help="an Apache Kafka that runs already; else one is started")
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    print("\n".join(taken_on()), flush=True)
    rates: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        url = options.broker or stack.enter_context(KafkaJars()).url
        for number in range(options.rounds):
            for name, rate in measure(url, options.readings, options.machines).items():
                rates.setdefault(name, []).append(rate)
                print(f"round {number + 1}: {name}: {rate:,.0f} readings/s", flush=True)
    print(f"\n{options.machines:,} machines, {options.readings:,} readings, medians of {options.rounds}:")
    figures = {f"{name}_readings_per_s": median_of(rates[name], "readings/s") for name in rates}
    for name in _WAYS:
        ratios = [its / mine for its, mine in zip(rates[f"replay_{name}"], rates["worker"], strict=True)]
        figures[f"replay_{name}_to_worker"] = median_of(ratios, "times as fast")
    hand_on(figures, options.json)


def measure(url: str, count: int, machines: int) -> dict[str, float]:
    """Readings a second of the worker, and of each way to replay what it judged."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    create_topics(url, prefix, PARTITIONS)
    send_all(url, f"{prefix}.models", models(machines, PARTITIONS))
    send_all(url, f"{prefix}.readings", readings(count, machines, PARTITIONS))
    process = WORKER.start(url, prefix, count)
    try:
        rates = {"worker": labels_per_second(url, f"{prefix}.labels", count, process)}
    finally:
        process.terminate()
        process.wait(60)
    for name in _WAYS:
        # A process of its own, as the command is one: nothing of one replay is warm for the next.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            rates |= pool.submit(replayed, url, prefix, name, count).result()
    return rates


def replayed(url: str, prefix: str, name: str, count: int) -> dict[str, float]:
    """Readings a second of one replay: while it judges, and in all."""
    asked, with_diff = _WAYS[name]
    with tempfile.TemporaryDirectory() as directory:
        settings = load_settings(
            broker={"url": url, "topic_prefix": prefix, "partitions": PARTITIONS},
            registry={"url": directory},
            log={"level": "warning"},
        )
        if "output" in asked:
            asked = {"output": str(Path(directory) / "labels.jsonl")}
        if "side_topic" in asked:
            asked = {"side_topic": f"replay-{prefix}"}
        prepare(settings)
        begun_s = time.monotonic()
        done = asyncio.run(
            replay(
                settings, Asked(**asked), Bounds(), Path(directory) / "work", with_diff=with_diff, on_progress=_silent
            )
        )
        took_s = time.monotonic() - begun_s
        clean_up(done)
    if done.progress.labels != count or (done.comparison is not None and not done.comparison.is_same):
        raise SystemExit(f"the replay is not the same: {done.progress}, {done.comparison}")
    return {f"replay_{name}": done.progress.readings_per_s, f"replay_{name}_in_all": count / took_s}


def _silent(_: object) -> None:
    """Shows nothing."""


if __name__ == "__main__":
    main()
