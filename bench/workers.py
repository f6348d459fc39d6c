"""Workers as processes, and the labels they make, as the benches of a running installation watch them."""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from bench.contenders import PARTITIONS, worker_environment

_MEGABYTE = 1_000_000


class Worker:
    """``wellsentry worker`` as it is shipped; further settings as environment variables without their prefix."""

    def __init__(self, url: str, prefix: str, **settings: str) -> None:
        further = {f"WELLSENTRY_{name.upper()}": value for name, value in settings.items()}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the worker; a pipe that nobody reads fills up
        self.started_s, self._started_at = time.monotonic(), datetime.now(UTC)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", "worker"],
            env={**worker_environment(url, prefix), **further},
            stderr=self._log,
            stdout=self._log,
        )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def memory_mb(self) -> float:
        """Resident memory now, in millions of bytes."""
        return self._memory_mb("status", "VmRSS:")

    @property
    def peak_mb(self) -> float:
        """The most resident memory it ever had."""
        return self._memory_mb("status", "VmHWM:")

    @property
    def proportional_mb(self) -> float:
        """Resident memory now, what it shares with other processes divided by their number."""
        return self._memory_mb("smaps_rollup", "Pss:")

    @property
    def of_files_mb(self) -> float:
        """The part of the resident memory that is programs and libraries as they lie on disk."""
        return self._memory_mb("status", "RssFile:")

    def _memory_mb(self, file: str, name: str) -> float:
        for line in Path(f"/proc/{self._process.pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024 / _MEGABYTE
        raise RuntimeError("this system does not tell a process's memory")

    def happened(self) -> dict[str, float]:
        """By its log: seconds from its start to the first time of each action. ``log__level`` has to be info."""
        found: dict[str, float] = {}
        self._log.seek(0)
        for line in self._log.read().splitlines():
            if line.startswith(b"{"):
                one = json.loads(line)
                after = datetime.fromisoformat(one["timestamp"]) - self._started_at
                found.setdefault(one.get("action", ""), after.total_seconds())
        return found

    def end(self) -> None:
        """Ask it to end, and wait."""
        self._process.terminate()
        self._process.wait(timeout=60)


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
