"""What people change after they have looked: an older model in force again, labels of a machine that sends nothing stored."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from kafka import KafkaConsumer, TopicPartition

from bench.month.asking import Ask, Row, row
from bench.month.installation import wait_for
from bench.month.looking import Month
from models.batches import Machine, WideBatch
from streams.access.broker import for_kafka_python
from streams.demo.children import Child
from streams.feed import feed
from streams.partitions import partition_of
from streams.settings import Settings

_WITHIN_S: Final = 60.0


def activated(month: Month, ask: Ask, settings: Settings, programs: list[Child]) -> Iterator[Row]:
    """An older model is put in force while the worker runs; the machine's next readings are judged by it."""
    machine = month.labels[month.client].chosen[0].machine_id
    named = ["--client", month.client, "--machine", machine]
    listed = ask(["models", "list", machine, "--client", month.client, "--json"])
    older = listed.json[-1]["digest"]
    labels = _LabelsFromNow(settings, machine)
    said = ask(["models", "activate", older, *named, "--by", "ada", "--why", "the newer one is doubted", "--json"])
    began_s = time.monotonic()
    seen: list[str | None] = []

    def is_in_force() -> bool:
        asyncio.run(_send_one(settings, month.client, machine, month.until_ms + 60_000 * (len(seen) + 1)))
        seen.extend(labels.more())
        return older in seen

    wait_for(is_in_force, f"label under {older}", programs, _WITHIN_S)
    labels.close()
    line = f"{older} judges the {seen.index(older) + 1}. reading after it, {time.monotonic() - began_s:.1f} s later"
    yield row("models activate", said, line, is_right=said.status == 0)
    again = ask(["models", "list", machine, "--client", month.client, "--json"])
    in_force = [(one["digest"], one["in_force"]) for one in again.json if one["in_force"]]
    yield row("models list MACHINE", again, f"{in_force}", is_right=in_force[0][0] == older)


def written(month: Month, ask: Ask) -> Iterator[Row]:
    """A look back at a machine that sends nothing, its labels stored, and then shown."""
    machine = sorted(month.wells.glob("*.csv"))[-1].stem
    event: dict[str, Any] = {"client_id": "semi", "machine_id": machine, "lookback": 1}
    (file := month.directory / "event.json").write_text(json.dumps(event))
    # Its times are moved to now: the table keeps no label for years.
    said = ask(["handle", str(file), "--source", str(month.moved_wells), "--write"])
    found: Any = json.loads(said.out.splitlines()[-1]) if said.status == 0 else {"written": 0, "labels": [0]}
    yield row(
        "handle --write",
        said,
        f"{found['written']:,} labels stored",
        is_right=found["written"] == len(found["labels"]) > 0,
    )
    listed = ask(["labels", machine, "--client", "semi", "--from", "2d", "--json"])
    count = len(listed.out.splitlines())
    yield row("labels MACHINE", listed, f"{count:,} labels", is_right=count == found["written"])


async def _send_one(settings: Settings, client: str, machine: str, time_ms: int) -> None:
    """One more reading of the machine."""
    times = np.array([time_ms], np.int64)
    signals = ("casing_pressure", "tubing_pressure")
    batch = WideBatch(
        (Machine(client, machine, signals),), signals, np.zeros(1, np.int64), times, times, np.array([[300.0, 200.0]])
    )
    await feed(settings, [batch])


class _LabelsFromNow:
    """Models of a machine's labels, from now on."""

    def __init__(self, settings: Settings, machine: str) -> None:
        place = TopicPartition(settings.topics.labels.name, partition_of(machine, settings.broker.partitions))
        self._key = machine.encode()
        self._consumer = KafkaConsumer(**for_kafka_python(settings.broker))
        self._consumer.assign([place])
        self._consumer.seek_to_end(place)
        self._consumer.position(place)

    def more(self) -> list[str | None]:
        """Of those that have come."""
        found = self._consumer.poll(500)
        return [
            json.loads(one.value)["model_digest"]
            for records in found.values()
            for one in records
            if one.key == self._key
        ]

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
