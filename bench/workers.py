"""Workers as processes, and the labels they make, as the benches of a running installation watch them."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from bench.contenders import PARTITIONS, worker_environment

_MEGABYTE = 1_000_000


class Worker:
    """``wellsentry worker`` as it is shipped; further settings as environment variables without their prefix."""

    def __init__(self, url: str, prefix: str, **settings: str) -> None:
        further = {f"WELLSENTRY_{name.upper()}": value for name, value in settings.items()}
        self.started_s = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", "worker"],
            env={**worker_environment(url, prefix), **further},
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def memory_mb(self) -> float:
        """Resident memory now, in millions of bytes."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / _MEGABYTE
        raise RuntimeError("this system does not tell a process's memory")

    def end(self) -> None:
        """Ask it to end, and wait."""
        self._process.terminate()
        self._process.communicate(timeout=60)


@contextlib.contextmanager
def worker(url: str, prefix: str, **settings: str) -> Iterator[Worker]:
    """A worker while the block runs."""
    one = Worker(url, prefix, **settings)
    try:
        yield one
    finally:
        if one.running:
            one.end()


class Ends:
    """How many records a topic has."""

    def __init__(self, url: str, topic: str) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=url)
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    def count(self) -> int:
        """Records in all partitions."""
        return sum(self._consumer.end_offsets(self._partitions).values())

    def wait(self, count: int, within_s: float) -> float:
        """Wait until there are ``count`` records; when that was (monotonic seconds). Ends the bench if they do not come."""
        deadline = time.monotonic() + within_s
        while (found := self.count()) < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"{found} of {count} records after {within_s:.0f} s")
            time.sleep(0.02)
        return time.monotonic()

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
