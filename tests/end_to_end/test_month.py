"""The short form of ``python -m bench.month``: hours in place of a month, and some of its commands."""

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.month.__main__ import settings_for
from bench.month.asking import Said
from bench.month.installation import at_work, live, set_up, until_all_is_stored
from bench.month.labels import known_labels
from bench.month.looking import Month, audited, explored, reproduced
from bench.month.production import fingerprint
from models.simulator import Fleet
from streams.cli.main import app
from streams.simulate import simulate_to_files
from tests.processes import variables

_HOUR_MS = 3_600_000


def ask(arguments: Sequence[str]) -> Said:
    """Ask in this process: the commands' imports are shared."""
    began_s = time.monotonic()
    done = CliRunner().invoke(app, list(arguments))
    return Said(done.exit_code, done.stdout, done.stderr, time.monotonic() - began_s)


def test_commands_that_look_back_are_right_about_a_fleet_that_lived_and_leave_it_as_it_was(
    kafka_url: str, dynamodb_local_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(kafka_url, dynamodb_local_endpoint, tmp_path)
    set_up(settings)
    until_ms = int(time.time() - 3_600) * 1000
    fleet = Fleet(1, 3, until_ms - 8 * _HOUR_MS, "month")
    wells = tmp_path / "wells"
    simulate_to_files(Fleet(2, 2, until_ms - 4 * _HOUR_MS, "wells"), until_ms, wells, lambda _: None)
    with at_work(settings, tmp_path) as programs:
        began_ms = round(time.time() * 1000)
        count, wells_count = asyncio.run(live(settings, fleet, until_ms, 5, ("wells", wells)))
        until_all_is_stored(settings, programs)
    found = asyncio.run(known_labels(settings, 1, random.Random(1)))
    ended_ms = round(time.time() * 1000)
    month = Month(tmp_path, "month", "wells", wells, wells, until_ms, began_ms, ended_ms, count, wells_count, found)
    for name, value in variables(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    before = asyncio.run(fingerprint(settings))
    rows = [row for commands in (audited, reproduced, explored) for row in commands(month, ask)]
    assert [row for row in rows if not row.is_right] == []
    assert len(rows) >= 8
    assert asyncio.run(fingerprint(settings)) == before
