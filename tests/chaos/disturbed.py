"""A story whose programs reach the outside by a way of their own: over a bad network, or to a DynamoDB that misbehaves."""

import json
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from kafka import KafkaProducer

from streams.partitions import partition_of
from streams.settings import Settings
from tests.chaos.story import Story
from tests.chaos.undisturbed import Build
from tests.processes import Process, running

_LINES_AT_ONCE: Final = 15  # a new trouble may be told of in several lines, each of another kind


class Disturbed(Story):
    """``by``: the settings of its programs, where they differ from how the story itself sees broker and table."""

    def __init__(self, name: str, settings: Settings, directory: Path, seed: int, build: Build, by: Settings) -> None:
        super().__init__(name, settings, directory, seed, build)
        self.by = by

    def running(self, command: str, **options: Any) -> AbstractContextManager[Process]:
        """A program while the block runs; it ends with SIGTERM."""
        return running(command, self.by, self.directory, **options)

    def feed(self, bursts: int) -> None:
        """Send the fleet's next bursts, and return when the broker has them."""
        topic, partitions = self.settings.topics.readings.name, self.settings.broker.partitions
        # One request at a time, so that a retry cannot change the order.
        producer = KafkaProducer(
            bootstrap_servers=self.settings.broker.url,
            acks="all",
            enable_idempotence=False,
            linger_ms=5,
            max_in_flight_requests_per_connection=1,
        )
        for number in range(self.bursts, self.bursts + bursts):
            for one in self.fleet.burst(number):
                producer.send(topic, key=one.key, value=one.value, partition=partition_of(one.home, partitions))
        producer.flush()
        producer.close()
        self.bursts += bursts


def elsewhere(settings: Settings, broker: str | None = None, dynamodb: str | None = None, **sink: Any) -> Settings:
    """The same installation, reached by another way."""
    changed = settings
    if broker is not None:
        changed = changed.model_copy(update={"broker": changed.broker.model_copy(update={"url": broker})})
    if dynamodb is not None:
        changed = changed.model_copy(update={"dynamodb": changed.dynamodb.model_copy(update={"endpoint": dynamodb})})
    return changed.model_copy(update={"sink": changed.sink.model_copy(update=sink)})


def warnings(process: Process) -> list[dict[str, Any]]:
    """Lines of a program's log that are warnings or worse. A line that is no JSON is one too."""
    found = []
    for line in process.log.read_text(errors="replace").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            told = {"level": "error", "event": line}
        if told.get("level") in ("warning", "error", "critical"):
            found.append(told)
    return found


def spoke_too_often(process: Process, lasted_s: float) -> list[str]:
    """Empty if a program warned less than once a second while it was in trouble, a few lines at its beginning aside."""
    told = warnings(process)
    if len(told) <= lasted_s + _LINES_AT_ONCE:
        return []
    return [f"{len(told)} warnings in {lasted_s:.0f} s, as {_kinds(told)}"]


def _kinds(told: Sequence[dict[str, Any]]) -> list[str]:
    return sorted({re.sub(r"\d+", "n", str(one.get("event")))[:100] for one in told})[:8]
