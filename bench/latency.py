"""From a reading's timestamp to its label at a consumer, at steady rates, and while every machine gets a new model.

    python -m bench.latency [--rates 5000 20000] [--seconds 20] [--machines 5000] [--rounds 3] [--json FILE]

Feeder, broker, worker and consumer share this machine, so the first and the last are as cheap as Python can be
(:mod:`bench.steady_feed`, :mod:`bench.arrivals`), and the share of a core that each took is shown. A reading's time is the
moment at which it is handed to the producer, every 5 ms; how late that was is shown too. Every reading of the time that is
measured counts, also when its label comes after it; the first seconds are left out. ``silence`` is the longest time without
any label: as long was the worker, the broker or this machine held up.

Before anything is measured the broker works for twenty seconds: one that has just started compiles its code meanwhile, and
then a loop that only copies has a 99th percentile of 160 ms. That loop (:mod:`bench.copying_loop`) is measured too: ``floor``
is what no worker can be faster than on this machine.
"""

import argparse
import contextlib
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.arrivals import Arrivals, Labels, decode
from bench.figures import Figures, figure, hand_on, median_of, taken_on
from bench.processes import CpuShares
from bench.steady_feed import SteadyFeed
from bench.workers import Ends, Group, Worker, minutes_ago, new_installation, wait_for, worker
from streams.parts.kafka_jars import KafkaJars

_LEFT_OUT_S = 4.0
#: The windows are full, and the first refit would be due much later.
_READINGS_EACH = 60
_LABELS_WITHIN_S = 20.0
_WARM_UP_S = 20.0


@dataclass(frozen=True, slots=True)
class Installation:
    """What is measured."""

    kafka: KafkaJars
    prefix: str
    worker: Worker
    machines: int


class Copier(Worker):
    """The loop that only copies, in a worker's place."""

    def __init__(self, url: str, prefix: str) -> None:
        self._where = (url, prefix)
        super().__init__(url, prefix)

    def command(self) -> list[str]:
        """What is run."""
        return [sys.executable, "-m", "bench.copying_loop", *self._where]


@contextlib.contextmanager
def installation(kafka: KafkaJars, machines: int) -> Iterator[Installation]:
    """Topics and models, and a worker that knows each machine's last hour."""
    prefix = new_installation(kafka.url, machines, _READINGS_EACH, minutes_ago(_READINGS_EACH))
    with worker(kafka.url, prefix) as one:
        group = Group(kafka.url, prefix)
        group.wait(1, 0, [one])
        group.close()
        yield Installation(kafka, prefix, one, machines)


def floors(kafka: KafkaJars, machines: int, rates: Sequence[int], seconds: float) -> Figures:
    """The loop that only copies at each rate, once the broker is warm."""
    prefix = new_installation(kafka.url, machines, 1, minutes_ago(1))
    copier = Copier(kafka.url, prefix)
    made: Figures = {}
    try:
        wait_for(lambda: "copying" in copier.said, "the copying loop", [copier], _LABELS_WITHIN_S)
        measure(Installation(kafka, prefix, copier, machines), rates[0], _WARM_UP_S, None)
        for rate in rates:
            seen = measure(Installation(kafka, prefix, copier, machines), rate, seconds, None)
            print(f"only copied: {rate:,}/s: {seen}", flush=True)
            made |= {f"floor_{which}_at_{rate}": figure(seen[which], "ms") for which in ("p50_ms", "p99_ms")}
    finally:
        copier.end()
    return made


def measure(made: Installation, rate: int, seconds: float, refit_after_s: float | None) -> dict[str, Any]:
    """What one rate showed."""
    url, prefix = made.kafka.url, made.prefix
    labels = Ends(url, f"{prefix}.labels")
    feed = SteadyFeed(url, prefix, made.machines, rate, _LEFT_OUT_S + seconds, refit_after_s)
    try:
        before = labels.count()
        with Arrivals(url, f"{prefix}.labels") as arrivals:
            feed.begin()
            time.sleep(_LEFT_OUT_S)
            assert made.kafka.pid is not None
            # The consumer is a thread of this process, which does nothing else meanwhile.
            pids = {"worker": made.worker.pid, "broker": made.kafka.pid, "feeder": feed.pid}
            shares = CpuShares(pids)
            own_before = time.process_time()
            time.sleep(seconds - 0.2)
            used = shares.shares()
            used["consumer"] = round((time.process_time() - own_before) / (seconds - 0.2), 3)
            said = feed.finish()
            all_there = before + int(said["sent"])
            wait_for(lambda: labels.count() >= all_there, "labels of all readings", [made.worker], _LABELS_WITHIN_S)
            time.sleep(0.5)
        found = decode(arrivals.take())
    finally:
        feed.end()
        labels.close()
    if len(found) < said["sent"]:
        raise SystemExit(f"{len(found)} labels of {said['sent']:.0f} readings came to the consumer")
    return {**_quantiles(found, said["begun_s"] + _LEFT_OUT_S), "cores": used, "feeder_late_ms": said["late_p99_ms"]}


def _quantiles(found: Labels, from_s: float) -> dict[str, float]:
    counted = found.event_s >= from_s
    latency_ms = (found.at_s - found.event_s)[counted] * 1000
    silence_ms = float(np.diff(np.unique(found.at_s[counted])).max()) * 1000
    return {
        "p50_ms": round(float(np.percentile(latency_ms, 50)), 1),
        "p99_ms": round(float(np.percentile(latency_ms, 99)), 1),
        "most_ms": round(float(latency_ms.max()), 1),
        "silence_ms": round(silence_ms, 1),
    }


def figures(calm: dict[int, list[dict[str, Any]]], busy: dict[int, list[dict[str, Any]]]) -> Figures:
    """Medians of the rounds."""
    made: Figures = {}
    for rate, runs in calm.items():
        for which in ("p50_ms", "p99_ms", "silence_ms"):
            made[f"{which}_at_{rate}"] = median_of([run[which] for run in runs], "ms")
            made[f"{which}_at_{rate}_while_refit"] = median_of([run[which] for run in busy[rate]], "ms")
        rises = [100 * (b["p99_ms"] / c["p99_ms"] - 1) for c, b in zip(runs, busy[rate], strict=True)]
        made[f"p99_rise_at_{rate}_while_refit"] = median_of(rises, "%")
        made[f"feeder_late_p99_ms_at_{rate}"] = median_of([run["feeder_late_ms"] for run in runs], "ms")
        for name in runs[0]["cores"]:
            made[f"cores_of_{name}_at_{rate}"] = figure(statistics.median(run["cores"][name] for run in runs), "cores")
    return made


def main() -> None:
    """All rates, and the refits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=int, nargs="+", default=[5_000, 20_000])
    parser.add_argument("--seconds", type=float, default=20.0, help="that are measured, each time")
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    print("\n".join(taken_on()), flush=True)
    calm: dict[int, list[dict[str, Any]]] = {}
    busy: dict[int, list[dict[str, Any]]] = {}
    with KafkaJars() as kafka:
        floor = floors(kafka, options.machines, options.rates, options.seconds)
        with installation(kafka, options.machines) as made:
            for number in range(options.rounds):
                for rate in options.rates:
                    for runs, refit_after_s, what in (
                        (calm, None, ""),
                        (busy, _LEFT_OUT_S, ", every machine refit once"),
                    ):
                        seen = measure(made, rate, options.seconds, refit_after_s)
                        runs.setdefault(rate, []).append(seen)
                        print(f"round {number + 1}: {rate:,}/s{what}: {seen}", flush=True)
    print(f"\nlatency, {options.machines:,} machines, {os.cpu_count()} cores, medians of {options.rounds}:")
    hand_on(floor | figures(calm, busy), options.json)


if __name__ == "__main__":
    main()
