"""How long labels stop to flow when one of two workers is killed with -9.

    python -m bench.takeover [--machines 5000] [--rate 5000] [--rounds 3] [--json FILE]

Two workers share the partitions and keep up with a steady feed. One is killed. For each partition that it held: the time from
the kill until the first label of a reading that came after the kill is at a consumer. The broker cannot know of the death
before the session timeout, ``broker.session_timeout_s`` as it is shipped, so that is taken off. Then a new worker takes the
dead one's place for the next round; the one that has been there longest is killed.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from bench.arrivals import Arrivals, Labels, decode
from bench.contenders import PARTITIONS
from bench.figures import figure, hand_on, median_of, taken_on
from bench.steady_feed import steady_feed
from bench.workers import Group, Worker, minutes_ago, new_installation, wait_for
from streams.parts.kafka_jars import KafkaJars
from streams.settings import BrokerSettings

_READINGS_EACH = 60
_FEED_AT_MOST_S = 600.0
#: A machine's state is written two seconds after a reading, and what may be committed by it every two seconds.
_BEHIND_S = 6


def main() -> None:
    """A few kills."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    print("\n".join(taken_on()), flush=True)
    timeout_s = BrokerSettings().session_timeout_s  # type: ignore[call-arg]
    worst, median, others = [], [], []
    with KafkaJars() as kafka:
        prefix = new_installation(kafka.url, options.machines, _READINGS_EACH, minutes_ago(_READINGS_EACH))
        workers = [Worker(kafka.url, prefix)]
        group = Group(kafka.url, prefix)
        try:
            group.wait(1, 0, workers)
            with steady_feed(kafka.url, prefix, options.machines, options.rate, _FEED_AT_MOST_S):
                for number in range(options.rounds):
                    workers.append(Worker(kafka.url, prefix))
                    group.wait(2, _BEHIND_S * options.rate // PARTITIONS, workers)
                    time.sleep(2.0)
                    took, other = kill_one(kafka.url, prefix, group, workers, options.rate)
                    worst.append(max(took) - timeout_s)
                    median.append(float(np.median(took)) - timeout_s)
                    others.append(other)
                    print(
                        f"round {number + 1}: labels of {len(took)} partitions after "
                        f"{', '.join(f'{one:.1f}' for one in sorted(took))} s; the other worker's stopped for {other:.1f} s",
                        flush=True,
                    )
        finally:
            for one in workers:
                if one.running:
                    one.end()
            group.close()
    print(f"\ntakeover, {options.machines:,} machines, {options.rate:,} readings/s, {options.rounds} kills:")
    figures = {
        "takeover_worst_s": figure(round(max(worst), 2), "s beyond the session timeout", rounds=worst),
        "takeover_median_s": median_of(median, "s beyond the session timeout"),
        "survivor_stopped_s": median_of(others, "s"),
        "session_timeout_s": figure(timeout_s, "s"),
    }
    hand_on(figures, options.json)


def kill_one(url: str, prefix: str, group: Group, workers: list[Worker], rate: int) -> tuple[list[float], float]:
    """Kill the first worker: seconds until each of its partitions had a new label, and how long the other's had none."""
    before = group.members()
    with Arrivals(url, f"{prefix}.labels") as arrivals:
        time.sleep(1.0)
        killed_s = time.time()
        workers.pop(0).kill()
        wait_for(
            lambda: group.settled(1, _BEHIND_S * rate // PARTITIONS), "the other worker keeps up alone", workers, 120.0
        )
        time.sleep(1.0)
        labels = decode(arrivals.take())
    left = group.members()
    gone = before.keys() - left.keys()
    if len(gone) != 1:
        raise SystemExit(f"of the members {set(before)} there are {set(left)} left: it cannot be told who went")
    (dead,) = gone
    (other,) = before.keys() - gone
    took = [_first_new(labels, number, killed_s) - killed_s for number in sorted(before[dead])]
    return took, max(_longest_silence(labels, number, killed_s) for number in before[other])


def _first_new(labels: Labels, partition: int, killed_s: float) -> float:
    """When the first label of a reading that came after the kill was there."""
    return float(labels.at_s[(labels.partition == partition) & (labels.event_s > killed_s)].min())


def _longest_silence(labels: Labels, partition: int, killed_s: float) -> float:
    at_s = labels.at_s[(labels.partition == partition) & (labels.at_s > killed_s)]
    return float(np.diff(np.concatenate(([killed_s], np.unique(at_s)))).max())


if __name__ == "__main__":
    main()
