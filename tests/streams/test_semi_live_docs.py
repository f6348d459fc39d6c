"""The jobs of docs/semi-live.md run as they stand there: the talk's class example on SQL, and ten lines more."""

import logging
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from schemas.times import iso
from streams.label_store import LabelStore
from tests.conftest import MakeSettings
from tests.processes import variables
from tests.streams.handler_parts import event, well

PAGE = Path(__file__).resolve().parents[2] / "docs" / "semi-live.md"
JOB, NEXT_JOB = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def store(
    embedded_aws_url: str, make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LabelStore]:
    """The table that the settings of this process name; the directory that it works in has a historian."""
    settings = make_settings(None, embedded_aws_url)
    for name, value in variables(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect(tmp_path / "historian.db") as historian:
        historian.execute("CREATE TABLE readings (client_id, machine_id, time, description, value)")
        for time_ms, casing, tubing in well(90):
            for name, value in (("Casing Pressure", casing), ("Tubing Pressure", tubing), ("Pump Current", 40.0)):
                historian.execute(
                    "INSERT INTO readings VALUES ('acme', 'well-7', ?, ?, ?)", (iso(time_ms), name, value)
                )
    historian.close()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with LabelStore(settings.dynamodb) as store:
        store.ensure_table()
        yield store
    root.handlers[:], root.level = handlers, level
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def test_the_talk_s_example_and_one_job_more_run_on_sql(store: LabelStore) -> None:
    space: dict[str, Any] = {}
    exec(JOB, space)
    said = space["handler"](event(90), None)
    assert (said["status"], len(said["labels"]), said["written"]) == ("ok", 90, 90)
    exec(NEXT_JOB, space)
    assert space["pump_handler"](event(90), None)["written"] == 90
    assert {row.stack for row in store.rows_of("acme", "well-7")} == {"load", "pump"}
    assert space["handler"](event(90, machine_id="well-8"), None)["status"] == "no_data"
    space["database"].close()


def test_a_new_job_is_ten_lines() -> None:
    lines = [line for line in NEXT_JOB.splitlines() if line.strip() and not line.startswith(("from", "import"))]
    assert len(lines) <= 10
