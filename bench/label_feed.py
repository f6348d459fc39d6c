"""Labels at a steady rate onto their topic, from a process of its own: what a dashboard has to keep up with.

    python -m bench.label_feed BROKER PREFIX MACHINES RATE

It goes on until it is ended. Each label's value is the moment at which it is sent (:func:`value_at`), so that a page shows
how old what it shows is.
"""

import argparse
import asyncio
import time
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from bench.contenders import PARTITIONS
from bench.fleet import partition_of
from schemas.labels import Label
from schemas.times import iso
from schemas.topics import topics

_EVERY_S: Final = 0.02
_ROUND_MS: Final = 1_000_000
_TIME: Final = iso(1_795_488_250_123)


def value_at(now_ms: int) -> float:
    """A moment as a value that a page shows with one digit.

    >>> value_at(1_795_488_250_123)
    25012.3
    """
    return now_ms % _ROUND_MS / 10


def age_ms(value: float, now_ms: int) -> float:
    """How long ago the moment was that a value tells, ms, up to a quarter of an hour.

    >>> age_ms(25012.3, 1_795_488_250_223)
    100.0
    """
    return round((now_ms - value * 10) % _ROUND_MS, 1)


class _Labels:
    """Labels of all machines in turn, all but time, offset and value written beforehand."""

    def __init__(self, machines: int) -> None:
        self.keys = [f"well-{number:05d}".encode() for number in range(machines)]
        self.homes = [partition_of(key, PARTITIONS) for key in self.keys]
        written = [_label(key.decode(), home) for key, home in zip(self.keys, self.homes, strict=True)]
        self._pieces = [
            one.encode().replace(b"77777", b"%d").replace(b'"TIME"', b'"%b"').replace(b"88888.8", b"%.1f")
            for one in written
        ]

    def line(self, machine: int, offset: int, now_ms: int) -> bytes:
        """One label."""
        return self._pieces[machine] % (offset, iso(now_ms).encode(), value_at(now_ms), offset)


def _label(machine: str, home: int) -> str:
    made = Label(
        label_id=f"load-{home}-77777-0", client_id="bench", machine_id=machine, stack="load",
        event_time=_TIME,
        signals={"casing_pressure": 412.5, "tubing_pressure": 260.1}, feature="load", value=88888.8, median=152.0,
        expected_low=140.0, expected_high=165.0, score=0.41, surprise=0.3, views=None, because=None, label="normal",
        reason=None, alert="quiet", incident_id=None, detector="iforest", model_digest="0123456789abcdef", model_rung="own",
        model_since_offset=0, code_version="0.1.0", git_commit="1" * 40, source_topic="wellsentry.readings",
        source_partition=home, source_offset=77777, partner_offset=None, revision=0, supersedes=None,
    )  # fmt: skip
    return made.model_dump_json().replace(_TIME, "TIME")


async def feed(url: str, prefix: str, machines: int, rate: int) -> None:
    """Send until somebody ends us."""
    topic, fleet = topics(prefix).labels.name, _Labels(machines)
    producer = AIOKafkaProducer(bootstrap_servers=url, acks=1, linger_ms=0, max_batch_size=900_000)
    await producer.start()
    print("ready", flush=True)
    begun, sent = time.time(), 0
    while True:
        now = time.time()
        due = int((now - begun) * rate)
        batches: dict[int, Any] = {}
        for number in range(sent, due):
            machine = number % machines
            home = fleet.homes[machine]
            batch = batches.get(home) or batches.setdefault(home, producer.create_batch())
            batch.append(key=fleet.keys[machine], value=fleet.line(machine, number, round(now * 1000)), timestamp=None)
        for home, batch in batches.items():
            await producer.send_batch(batch, topic, partition=home)
        sent = due
        await asyncio.sleep(max(0.0, _EVERY_S - (time.time() - now)))


def main() -> None:
    """One feed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("broker")
    parser.add_argument("prefix")
    parser.add_argument("machines", type=int)
    parser.add_argument("rate", type=int)
    chosen = parser.parse_args()
    asyncio.run(feed(chosen.broker, chosen.prefix, chosen.machines, chosen.rate))


if __name__ == "__main__":
    main()
