"""Two workers against one, catching up a filled topic, on the cores that they share with the broker.

    python -m bench.two_workers [--readings 400000] [--machines 5000] [--rounds 3] [--json FILE]

Two installations on one broker, one with one worker and one with two, all started, in their groups and caught up. In turn the
workers of one are halted (SIGSTOP), its topic is filled, and they go on: measured from then until the last label is in Kafka.
The other installation's are halted meanwhile. So no start and no rebalance is part of it, but an uneven end is.

Processor seconds of the workers and of the broker say what bounds it: two cores give twice the elapsed seconds.
"""

import argparse
import itertools
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import PARTITIONS
from bench.figures import figure, hand_on, median_of, taken_on
from bench.fleet import START_S, readings, send_all
from bench.processes import CpuShares
from bench.workers import Ends, Group, Worker, new_installation
from streams.parts.kafka_jars import KafkaJars

_READINGS_EACH = 60
#: Who is halted sends no heartbeats.
_PATIENT = {"broker__session_timeout_s": "900", "broker__heartbeat_interval_s": "3"}


@dataclass
class Installation:
    """Some workers on topics of their own, and what they have shown."""

    url: str
    prefix: str
    workers: list[Worker] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cores: dict[str, list[float]] = field(default_factory=dict)
    us: dict[str, list[float]] = field(default_factory=dict)  # processor microseconds a reading

    def pause(self) -> None:
        """Halt the workers."""
        for one in self.workers:
            one.pause()

    def go_on(self) -> None:
        """Let them go on."""
        for one in self.workers:
            one.go_on()


def main() -> None:
    """Some rounds, both in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=400_000)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    print("\n".join(taken_on()), flush=True)
    made: list[Installation] = []
    with KafkaJars() as kafka:
        assert kafka.pid is not None
        try:
            for count in (1, 2):
                prefix = new_installation(kafka.url, options.machines, _READINGS_EACH, START_S)
                one = Installation(kafka.url, prefix)
                made.append(one)
                _start(one, count)
            start_s = START_S + 60 * _READINGS_EACH
            each_s = 60 * (options.readings // options.machines + 1)
            for number in range(options.rounds):
                for one in made:
                    _catch_up(kafka.pid, one, options.readings, options.machines, start_s + number * each_s)
                    print(
                        f"round {number + 1}: {len(one.workers)} worker(s): {one.rates[-1]:,.0f} readings/s; cores: "
                        + ", ".join(f"{name} {used[-1]:.2f}" for name, used in one.cores.items()),
                        flush=True,
                    )
        finally:
            for worker in itertools.chain.from_iterable(one.workers for one in made):
                if worker.running:
                    worker.end()
    alone, both = made
    ratios = [two / one for one, two in zip(alone.rates, both.rates, strict=True)]
    print(
        f"\n{options.machines:,} machines, {options.readings:,} readings, {os.cpu_count()} cores, {options.rounds} rounds:"
    )
    figures = {
        "two_workers_to_one": median_of(ratios, "times"),
        "one_worker_readings_per_s": median_of(alone.rates, "readings/s"),
        "two_workers_readings_per_s": median_of(both.rates, "readings/s"),
    }
    for name, one in (("one_worker", alone), ("two_workers", both)):
        figures |= {f"{name}_cores_of_{who}": median_of(used, "cores") for who, used in one.cores.items()}
        figures |= {f"{name}_us_of_{who}": median_of(used, "us a reading") for who, used in one.us.items()}
    both_cpu_us = sum(figures[f"two_workers_us_of_{who}"]["value"] for who in ("workers", "broker"))
    bound = (os.cpu_count() or 1) / both_cpu_us * 1e6
    figures["two_workers_bound_by_cores"] = figure(round(bound), "readings/s, if these cores did nothing else")
    hand_on(figures, options.json)


def _start(one: Installation, count: int) -> None:
    group = Group(one.url, one.prefix)
    for number in range(1, count + 1):
        one.workers.append(Worker(one.url, one.prefix, **_PATIENT))
        group.wait(number, 0, one.workers)
    group.close()
    time.sleep(1.0)  # what follows the labels
    one.pause()


def _catch_up(broker: int, one: Installation, count: int, machines: int, start_s: int) -> None:
    labels = Ends(one.url, f"{one.prefix}.labels")
    goal = labels.count() + count
    send_all(one.url, f"{one.prefix}.readings", readings(count, machines, PARTITIONS, start_s=start_s))
    pids = {"broker": broker} | {f"worker {number}": each.pid for number, each in enumerate(one.workers, 1)}
    shares, began_s = CpuShares(pids), time.monotonic()
    one.go_on()
    elapsed_s = labels.wait(goal, 180.0) - began_s
    used = shares.used_s()
    time.sleep(1.0)  # what follows the labels
    one.pause()
    labels.close()
    used["workers"] = sum(seconds for name, seconds in used.items() if name.startswith("worker "))
    one.rates.append(count / elapsed_s)
    for name in ("workers", "broker", "machine"):
        one.cores.setdefault(name, []).append(used[name] / elapsed_s)
        one.us.setdefault(name, []).append(used[name] / count * 1e6)


if __name__ == "__main__":
    main()
