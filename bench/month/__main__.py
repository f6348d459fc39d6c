"""A month of one client's readings on Apache Kafka, real wells beside it, and every command that looks back at them.

    python -m bench.month WELLS [--machines 30] [--days 30] [--seconds 300] [--labels 10] [--seed 1] [--json FILE]

A fleet is simulated with all its events and defects, faster than life: ``--days`` within ``--seconds``. The files of WELLS (a
directory of CSV files with a column ``timestamp``) are fed meanwhile as another client's machines. Worker, trainer and sink
store all of it on DynamoDB Local; then they are stopped, and each command is run as people run it, in a process of its own.
What only looks must leave topics, offsets and registry as they are: by checksums, before and after. Ends with status 1 if any
command is not right.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import taken_on
from bench.month.asking import Ask, InProcesses, Row
from bench.month.changing import activated, written
from bench.month.installation import at_work, live, moved, set_up, until_all_is_stored
from bench.month.labels import known_labels
from bench.month.looking import (
    Month,
    audited,
    explored,
    handled,
    killed_and_gone_on,
    models_looked_at,
    replayed,
    reproduced,
)
from bench.month.production import fingerprint
from models.simulator import Fleet
from streams.parts.dynamodb_jars import DynamoJars
from streams.parts.kafka_jars import KafkaJars
from streams.settings import Settings, load_settings

_DAY_MS = 86_400_000
_WELLS_FOR_MS = 5 * 3_600_000  # the longest of them

#: What asks only, and in which order.
LOOKING: tuple[Callable[[Month, Ask], Iterator[Row]], ...] = (
    audited,
    reproduced,
    replayed,
    explored,
    models_looked_at,
    handled,
)


def main() -> None:
    """Let a month pass, ask everything, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wells", type=Path)
    parser.add_argument("--machines", type=int, default=30)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--labels", type=int, default=10, help="made again of each client")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print("\n".join(taken_on()), flush=True)
    with KafkaJars() as kafka, DynamoJars() as dynamo, tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        settings = settings_for(kafka.url, dynamo.url, directory)
        set_up(settings)
        until_ms = int(time.time() - 3_600) * 1000
        fleet = Fleet(options.seed, options.machines, until_ms - round(options.days * _DAY_MS), "month")
        wells = moved(options.wells, directory / "wells", until_ms - _WELLS_FOR_MS)
        began_s = time.monotonic()
        with at_work(settings, directory) as programs:
            began_ms = round(time.time() * 1000)
            count, wells_count = asyncio.run(live(settings, fleet, until_ms, options.seconds, ("wells", wells)))
            ended_ms = round(time.time() * 1000)
            until_all_is_stored(settings, programs)
        print(f"{count:,} readings and {wells_count:,} of wells: {time.monotonic() - began_s:.0f} s", flush=True)
        rng = random.Random(options.seed)
        month = Month(
            directory, "month", "wells", options.wells.resolve(), wells, until_ms, began_ms, ended_ms, count, wells_count,
            asyncio.run(known_labels(settings, options.labels, rng)),
        )  # fmt: skip
        ask = InProcesses(settings, directory)
        rows = shown(asked(settings, month, ask))
        with at_work(settings, directory) as programs:
            rows += shown(activated(month, ask, settings, programs))
        rows += shown(written(month, ask))
    tell(rows, options.json)


def settings_for(broker: str, dynamodb: str, directory: Path) -> Settings:
    """An installation of its own; labels are stored soon, for somebody is going to ask."""
    prefix = f"month-{uuid.uuid4().hex[:8]}"
    return load_settings(
        broker={"url": broker, "topic_prefix": prefix, "partitions": 4},
        worker={"app_id": f"{prefix}-worker"},
        trainer={"app_id": f"{prefix}-trainer"},
        sink={"app_id": f"{prefix}-sink", "linger_s": 5.0},
        registry={"url": str(directory / "registry")},
        dynamodb={
            "endpoint": dynamodb, "table": f"{prefix}-labels", "access_key_id": "local", "secret_access_key": "local",
        },
        log={"format": "json"},
    )  # fmt: skip


def asked(settings: Settings, month: Month, ask: InProcesses) -> Iterator[Row]:
    """Everything that only looks, with production's checksums before and after."""
    before = asyncio.run(fingerprint(settings))
    for commands in LOOKING:
        yield from commands(month, ask)
    yield from killed_and_gone_on(month, ask)
    is_same = asyncio.run(fingerprint(settings)) == before
    yield Row("checksums of production", "as before" if is_same else "CHANGED", 0.0, is_same)


def shown(rows: Iterator[Row]) -> list[Row]:
    """All of them, each printed as it comes."""
    found = []
    for one in rows:
        print(f"{'' if one.is_right else 'WRONG: '}{one.command}: {one.seen} ({one.seconds:.1f} s)", flush=True)
        found.append(one)
    return found


def tell(rows: list[Row], path: Path | None) -> None:
    """The table; into a file as JSON. Ends the process with status 1 if anything is wrong."""
    table = Table("command", "what was seen", "seconds")
    for one in rows:
        table.add_row(one.command, one.seen, f"{one.seconds:.1f}", style=None if one.is_right else "bold red")
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    wrong = sum(not one.is_right for one in rows)
    if path is not None:
        path.write_text(json.dumps([asdict(one) for one in rows], indent=1) + "\n")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
