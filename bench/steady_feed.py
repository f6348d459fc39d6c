"""Readings at a steady rate, from a process of its own, as cheaply as Python can.

    python -m bench.steady_feed BROKER PREFIX MACHINES RATE SECONDS [--refit-after SECONDS]

All but the time is written in advance: a reading is three pieces of bytes put together. Every five milliseconds what is due
goes out, with the moment at which it is handed to the producer as its time. With ``--refit-after`` each machine gets one new
model from then on, evenly over the rest of the time.

It says ``ready`` when all is prepared, begins when it is sent a line, and says at the end what it sent and how late it was:
how long after a reading was due it was handed over. That is not in the readings' times, so it must be small.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from aiokafka import AIOKafkaProducer

from bench.contenders import PARTITIONS
from bench.fleet import models, partition_of
from bench.processes import end_with_parent
from schemas.topics import topics

_EVERY_S: Final = 0.005
#: Different pairs of pressures: so many that no machine's gauges look frozen.
_PAIRS: Final = 4_093


class SteadyFeed:
    """The process, as another one starts it."""

    def __init__(
        self, url: str, prefix: str, machines: int, rate: int, seconds: float, refit_after_s: float | None = None
    ) -> None:
        arguments = [url, prefix, str(machines), str(rate), str(seconds)]
        if refit_after_s is not None:
            arguments += ["--refit-after", str(refit_after_s)]
        command = [sys.executable, "-m", "bench.steady_feed", *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "ready":
            raise SystemExit("the feeder did not get ready")

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def begin(self) -> None:
        """Send from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def finish(self) -> dict[str, float]:
        """Wait for its end; what it says."""
        said, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise SystemExit(f"the feeder ended with status {self._process.returncode}")
        return dict(json.loads(said))

    def end(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.communicate()


@contextlib.contextmanager
def steady_feed(url: str, prefix: str, machines: int, rate: int, seconds: float) -> Iterator[SteadyFeed]:
    """A feed that goes on while the block runs, ``seconds`` at most."""
    feed = SteadyFeed(url, prefix, machines, rate, seconds)
    feed.begin()
    try:
        yield feed
    finally:
        feed.end()


def feed_for(url: str, prefix: str, machines: int, rate: int, seconds: float) -> int:
    """A feed from its beginning to its end; how many readings it sent."""
    feed = SteadyFeed(url, prefix, machines, rate, seconds)
    feed.begin()
    return int(feed.finish()["sent"])


class _Fleet:
    """Readings of all machines in turn."""

    def __init__(self, machines: int) -> None:
        rng = np.random.default_rng(time.time_ns())
        pressures = np.column_stack([rng.normal(300, 10, _PAIRS), rng.normal(200, 10, _PAIRS)])
        self.keys = [f"well-{number:05d}".encode() for number in range(machines)]
        self.homes = [partition_of(key, PARTITIONS) for key in self.keys]
        self.heads = [b'{"client_id":"bench","machine_id":"%s","time":' % key for key in self.keys]
        self.tails = [b',"casing_pressure":%.1f,"tubing_pressure":%.1f}' % tuple(pair) for pair in pressures]


async def feed(url: str, prefix: str, machines: int, rate: int, seconds: float, refit_after_s: float | None) -> Any:
    """Prepare, wait for the line, send."""
    names = topics(prefix)
    fleet = _Fleet(machines)
    updates = [] if refit_after_s is None else list(models(machines, PARTITIONS, seed=time.time_ns() % 2**32))
    producer = AIOKafkaProducer(bootstrap_servers=url, acks=1, linger_ms=0, max_batch_size=500_000)
    await producer.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    begun, sent, sent_models, late_ms = time.time(), 0, 0, []
    refits_from, refits_for = refit_after_s or 0.0, seconds - (refit_after_s or 0.0)
    while (now := time.time()) < begun + seconds:
        due = int((now - begun) * rate)
        if due > sent:
            late_ms.append((now - begun - sent / rate) * 1000)
            await _send(producer, names.readings.name, _readings(producer, fleet, sent, due, now))
            sent = due
        due_models = int(len(updates) * max(0.0, (now - begun - refits_from) / refits_for))
        if due_models > sent_models:
            await _send(producer, names.models.name, _models(producer, updates[sent_models:due_models]))
            sent_models = due_models
        await asyncio.sleep(max(0.0, _EVERY_S - (time.time() - now)))
    if sent_models < len(updates):
        await _send(producer, names.models.name, _models(producer, updates[sent_models:]))
    await producer.flush()
    await producer.stop()
    return {
        "begun_s": begun,
        "sent": sent,
        "late_p99_ms": round(float(np.percentile(late_ms, 99)), 1),
        "late_most_ms": round(max(late_ms), 1),
    }


def _readings(producer: Any, fleet: _Fleet, first: int, end: int, now: float) -> dict[int, Any]:
    """Batches by partition."""
    machines, keys, homes, heads, tails = len(fleet.keys), fleet.keys, fleet.homes, fleet.heads, fleet.tails
    stamp = b"%.3f" % now
    batches: dict[int, Any] = {}
    for number in range(first, end):
        machine = number % machines
        home = homes[machine]
        batch = batches.get(home)
        if batch is None:
            batch = batches[home] = producer.create_batch()
        batch.append(key=keys[machine], value=heads[machine] + stamp + tails[(number * 7) % _PAIRS], timestamp=None)
    return batches


def _models(producer: Any, updates: list[tuple[int, bytes, bytes]]) -> dict[int, Any]:
    batches: dict[int, Any] = {}
    for home, key, value in updates:
        batches.setdefault(home, producer.create_batch()).append(key=key, value=value, timestamp=None)
    return batches


async def _send(producer: Any, topic: str, batches: dict[int, Any]) -> None:
    for home, batch in batches.items():
        await producer.send_batch(batch, topic, partition=home)


def main() -> None:
    """One feed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("broker")
    parser.add_argument("prefix")
    parser.add_argument("machines", type=int)
    parser.add_argument("rate", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--refit-after", type=float)
    chosen = parser.parse_args()
    said = asyncio.run(
        feed(chosen.broker, chosen.prefix, chosen.machines, chosen.rate, chosen.seconds, chosen.refit_after)
    )
    print(json.dumps(said))


if __name__ == "__main__":
    main()
