"""Simulated wells into the readings topic or into files, and the truth about them into a file of its own."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import msgspec

from models.simulator import Fleet
from schemas.times import iso
from streams.feed import FeedReport, Form, OnProgress, Pace, feed
from streams.files.writing import write_csv
from streams.settings import Settings


async def simulate(
    settings: Settings,
    fleet: Fleet,
    until_ms: int | None,
    *,
    pace: Pace,
    on_progress: OnProgress | None = None,
    form: Form = "wide",
) -> FeedReport:
    """Feed the fleet's readings that arrive before ``until_ms``, or without end."""
    return await feed(settings, fleet.readings(until_ms), pace=pace, on_progress=on_progress, form=form)


def simulate_to_files(
    fleet: Fleet, until_ms: int, directory: Path, on_progress: Callable[[FeedReport], None]
) -> FeedReport:
    """Write the fleet's readings as CSV files, one for each well."""
    began = time.monotonic()
    readings, report = 0, FeedReport()
    for batch in write_csv(fleet.readings(until_ms), directory):
        readings += len(batch)
        report = FeedReport(
            readings=readings,
            machines=len(batch.machines),
            first_ms=report.first_ms if report.first_ms is not None else int(batch.arrival_ms[0]),
            last_ms=int(batch.arrival_ms[-1]),
            seconds=time.monotonic() - began,
        )
        on_progress(report)
    return report


def write_truth(fleet: Fleet, until_ms: int, path: Path) -> int:
    """Write every event and defect that starts before ``until_ms`` as a line of JSON; returns how many there are.

    Fields: machine_id, category (event or defect), kind, start and end (ISO 8601), signal and group or null.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        count = 0
        for truth in fleet.truth(until_ms):
            line = asdict(truth)
            start, end = iso(line.pop("start_ms")), iso(line.pop("end_ms"))
            count += 1
            file.write(msgspec.json.encode({**line, "start": start, "end": end}) + b"\n")
    return count
