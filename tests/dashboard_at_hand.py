"""A dashboard for tests, and records as a worker would have written them."""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.incidents import Incident
from schemas.labels import Label
from schemas.times import iso
from streams.settings import Settings
from tests.processes import Process, running, wait_until

#: 2026-11-24T02:00:00Z.
START_MS = 1_795_485_600_000


def label(machine: str, offset: int, **more: Any) -> Label:
    """A label of ``machine`` for the reading at ``offset``, one a minute: normal unless ``more`` says otherwise."""
    usual: dict[str, Any] = {
        "label_id": f"load-0-{offset}-0", "client_id": "acme", "machine_id": machine, "stack": "load",
        "event_time": iso(START_MS + offset * 60_000),
        "signals": {"casing_pressure": 412.5, "tubing_pressure": 260.1}, "feature": "load", "value": 152.4,
        "median": 152.0, "expected_low": 140.0, "expected_high": 165.0, "score": 0.41, "surprise": 0.3, "views": None,
        "because": None, "label": "normal", "reason": None, "alert": "quiet", "incident_id": None,
        "detector": "iforest", "model_digest": "0123456789abcdef", "model_rung": "own", "model_since_offset": 0,
        "code_version": "0.1.0", "git_commit": "1" * 40, "source_topic": "wellsentry.readings", "source_partition": 0,
        "source_offset": offset, "partner_offset": None, "revision": 0, "supersedes": None,
    }  # fmt: skip
    return Label.model_validate({**usual, **more})


def incident(machine: str, offset: int, **more: Any) -> Incident:
    """An incident of ``machine`` that the label at ``offset`` opened; open unless ``more`` says otherwise."""
    at = iso(START_MS + offset * 60_000)
    usual: dict[str, Any] = {
        "incident_id": f"inc-load-0-{offset}-0", "state": "opened", "client_id": "acme", "machine_id": machine,
        "stack": "load", "opened_at": at, "closed_at": None, "label_id": f"load-0-{offset}-0", "feature": "load",
        "direction": "high", "actual": 231.0, "expected_low": 140.0, "expected_high": 165.0, "peak_surprise": 5.2,
        "peak_at": at, "readings": 1, "model_digest": "0123456789abcdef", "model_rung": "own",
        "code_version": "0.1.0", "git_commit": "1" * 40,
    }  # fmt: skip
    return Incident.model_validate({**usual, **more})


def records(found: list[Any]) -> Iterator[tuple[bytes, bytes]]:
    """What goes to a topic keyed by machine."""
    for one in found:
        yield one.machine_id.encode(), one.model_dump_json().encode()


def where(process: Process) -> str | None:
    """The address that a dashboard has told, once it serves."""
    found = re.search(r'\{.*"action": "serving".*\}', process.log.read_text(errors="replace"))
    return str(json.loads(found.group())["url"]).rstrip("/") if found else None


@contextlib.contextmanager
def dashboard(settings: Settings, directory: Path) -> Iterator[tuple[str, Process]]:
    """A dashboard's address while the block runs, once it has caught up."""
    with running("dashboard", settings, directory, arguments=("--port", "0")) as process:
        url = wait_until(lambda: where(process), what="dashboard that serves", process=process)
        wait_until(lambda: process.has_said("caught_up"), what="dashboard that has caught up", process=process)
        yield url, process
