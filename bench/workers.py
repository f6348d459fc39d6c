"""Workers as processes, their group, and the labels they make, as the benches of a running installation watch them."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from bench.contenders import PARTITIONS, worker_environment
from bench.fleet import create_topics, models, readings, send_all
from bench.processes import end_with_parent, memory_mb

_SAID_SHOWN = 3_000


class Worker:
    """``wellsentry worker`` as it is shipped; further settings as environment variables without their prefix."""

    def __init__(self, url: str, prefix: str, **settings: str) -> None:
        further = {f"WELLSENTRY_{name.upper()}": value for name, value in settings.items()}
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the worker; a pipe that nobody reads fills up
        self.started_s, self._started_at = time.monotonic(), datetime.now(UTC)
        self._process = subprocess.Popen(
            self.command(),
            env={**worker_environment(url, prefix), **further},
            stderr=self._said,
            stdout=self._said,
            preexec_fn=end_with_parent,
        )

    def command(self) -> list[str]:
        """What is run."""
        return [sys.executable, "-m", "streams.cli.main", "worker"]

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def memory_mb(self) -> float:
        """Resident memory now, in millions of bytes."""
        return memory_mb(self.pid)

    @property
    def peak_mb(self) -> float:
        """The most resident memory it ever had."""
        return memory_mb(self.pid, "status", "VmHWM:")

    @property
    def proportional_mb(self) -> float:
        """Resident memory now, what it shares with other processes divided by their number."""
        return memory_mb(self.pid, "smaps_rollup", "Pss:")

    @property
    def of_files_mb(self) -> float:
        """The part of the resident memory that is programs and libraries as they lie on disk."""
        return memory_mb(self.pid, "status", "RssFile:")

    @property
    def said(self) -> str:
        """The end of its log."""
        self._said.seek(0)
        return self._said.read()[-_SAID_SHOWN:].decode(errors="replace")

    def happened(self) -> dict[str, float]:
        """By its log: seconds from its start to the first time of each action. ``log__level`` has to be info."""
        found: dict[str, float] = {}
        self._said.seek(0)
        for line in self._said.read().splitlines():
            if line.startswith(b"{"):
                one = json.loads(line)
                after = datetime.fromisoformat(one["timestamp"]) - self._started_at
                found.setdefault(one.get("action", ""), after.total_seconds())
        return found

    def pause(self) -> None:
        """Let it do nothing, until :meth:`go_on`."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After :meth:`pause`."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it with -9."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Ask it to end, and wait."""
        self.go_on()
        self._process.terminate()
        self._process.wait(60)


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

    def of_partitions(self) -> dict[int, int]:
        """The end of each partition."""
        return {place.partition: end for place, end in self._consumer.end_offsets(self._partitions).items()}

    def count(self) -> int:
        """Records in all partitions."""
        return sum(self.of_partitions().values())

    def wait(self, count: int, within_s: float) -> float:
        """Wait until there are ``count`` records; when that was (monotonic seconds). Ends the bench if they do not come."""
        deadline = time.monotonic() + within_s
        while (found := self.count()) < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"{found} of {count} records after {within_s:.0f} s")
            time.sleep(0.02)
        return time.monotonic()

    def wait_for_record(self, ends: Mapping[int, int], within_s: float) -> float:
        """Wait for a record behind ``ends``; when it was there (monotonic seconds). A claim's marker is none."""
        self._consumer.assign(self._partitions)
        for place in self._partitions:
            self._consumer.seek(place, ends[place.partition])
        deadline = time.monotonic() + within_s
        while not self._consumer.poll(timeout_ms=20, max_records=1):
            if time.monotonic() > deadline:
                raise SystemExit(f"no record after {within_s:.0f} s")
        return time.monotonic()

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()


class Group:
    """The workers' consumer group, as the broker knows it."""

    def __init__(self, url: str, prefix: str) -> None:
        self._id, self._readings = f"{prefix}-worker", f"{prefix}.readings"
        self._admin = KafkaAdminClient(bootstrap_servers=url)
        self._ends = Ends(url, self._readings)

    def members(self) -> dict[str, set[int]]:
        """Partitions of the readings by member; none while the group is not settled."""
        group = self._admin.describe_groups([self._id])[self._id]
        if group["group_state"] != "Stable":
            return {}
        return {one["member_id"]: self._partitions(one["member_assignment"]) for one in group["members"]}

    def _partitions(self, assignment: Any) -> set[int]:
        topics = assignment["assigned_partitions"]
        return {number for one in topics if one["topic"] == self._readings for number in one["partitions"]}

    def behind(self) -> dict[int, int]:
        """Readings of each partition that are not judged and committed."""
        committed = {
            place.partition: known.offset
            for place, known in self._admin.list_group_offsets(self._id)[self._id].items()
            if place.topic == self._readings
        }
        return {number: end - max(0, committed.get(number, 0)) for number, end in self._ends.of_partitions().items()}

    def settled(self, members: int, at_most_behind: int) -> bool:
        """Whether so many members share all partitions, and none of those is far behind."""
        try:
            held = self.members()
        except KafkaError:  # nobody has joined yet, or it moves
            return False
        shared = len(held) == members and all(held.values()) and sum(map(len, held.values())) == PARTITIONS
        return shared and max(self.behind().values()) <= at_most_behind

    def wait(self, members: int, at_most_behind: int, workers: list[Worker], within_s: float = 300.0) -> None:
        """Wait until the group is :meth:`settled`. Ends the bench if a worker ends or it takes too long."""
        wait_for(lambda: self.settled(members, at_most_behind), f"{members} workers at work", workers, within_s)

    def close(self) -> None:
        """Let go of the broker."""
        self._admin.close()
        self._ends.close()


def wait_for(is_so: Callable[[], bool], what: str, workers: list[Worker], within_s: float) -> None:
    """Wait until something is so; ends the bench when it does not come, or a worker has ended."""
    deadline = time.monotonic() + within_s
    while not is_so():
        ended = [one for one in workers if not one.running]
        if ended or time.monotonic() > deadline:
            said = (ended or workers)[0].said if workers else ""
            raise SystemExit(f"{what}: not {'before a worker ended' if ended else f'within {within_s:.0f} s'}\n{said}")
        time.sleep(0.1)


def new_installation(url: str, machines: int, readings_each: int, start_s: int) -> str:
    """Topics with a model of each machine and its first readings, a minute apart from ``start_s`` on; their prefix."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    create_topics(url, prefix, PARTITIONS)
    send_all(url, f"{prefix}.models", models(machines, PARTITIONS))
    come = readings(readings_each * machines, machines, PARTITIONS, start_s=start_s)
    send_all(url, f"{prefix}.readings", come)
    return prefix


def minutes_ago(minutes: int) -> int:
    """A moment for readings that end now."""
    return int(time.time()) - 60 * minutes
