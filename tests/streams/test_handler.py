"""A handler says of readings what the worker and ``wellsentry score`` say, and answers whatever it is asked."""

import csv
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from schemas.errors import BadInputFile, BadSettings, SourceError
from schemas.outputs import LoadADOutput
from schemas.times import iso
from streams.cli.main import app
from streams.handler import CleanDataStack, FileSource, Query, QuerySource, handler_for
from streams.handler.serving import answer
from streams.handler.sources import offsets_by_time
from streams.log import setup_logging
from streams.scoring import score_file
from streams.scoring.tables import Options
from streams.settings import load_settings
from tests.streams.handler_parts import LOAD, MINUTE_MS, START_MS, Kept, LoadByTag, columns, event, well, world


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """What was logged since it was asked last, by action."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    setup_logging(load_settings(), "handler")
    root.handlers[:] = handlers

    def lines() -> dict[str, dict[str, Any]]:
        said = {record.msg["action"]: record.msg for record in caplog.records if isinstance(record.msg, dict)}
        caplog.clear()
        return said

    yield lines
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def a_file(path: Path, rows: list[tuple[int, float, float]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("timestamp", "Casing Pressure", "Tubing Pressure"), *((iso(time), *both) for time, *both in rows)]
        )
    return path


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


# -- the same labels


def test_it_says_of_a_file_what_score_says(tmp_path: Path) -> None:
    rows = well(900, jump_at=800)
    rows[300], rows[320] = rows[320], rows[300]  # late, and its place is taken by one that is early
    rows.insert(350, rows[349])
    source = a_file(tmp_path / "machine.csv", rows)
    score_file(source, tmp_path / "out.csv", Options(), explain=True)
    kept = Kept()
    output = answer(LOAD, world(FileSource(tmp_path), kept), event(900, client_id="file", machine_id="machine"))
    first = [label for label in kept.labels if label.revision == 0]
    with (tmp_path / "out.csv").open(newline="") as file:
        scored = list(csv.DictReader(file))
    assert len(scored) == len(first) == 901
    for ours, theirs in zip(first, scored, strict=True):
        numbers = (ours.value, ours.median, ours.score, ours.surprise)
        assert numbers == tuple(_number(theirs[name]) for name in ("value", "median", "raw_score", "surprise"))
        words = (ours.label, ours.alert, ours.reason or "", ours.model_digest or "")
        assert words == tuple(theirs[name] for name in ("verdict", "alert_state", "reason", "model_digest"))
    assert {-1, 0, 1} == set(output["labels"])
    assert output["alerts"] == sum(row["alert"] == "1" for row in scored) >= 1
    assert any(label.revision for label in kept.labels), "a late reading corrects what came after it"


def test_a_reading_has_one_label_id_wherever_the_look_back_begins() -> None:
    source = QuerySource(lambda _: columns(well(120)))
    kept = Kept()
    ids = []
    for minutes, lookback in ((120, 1), (100, 1)):
        answer(LoadByTag, world(source, kept), event(minutes, lookback))
        ids.append([label.label_id for label in kept.labels])
    assert ids[1] == ids[0][:100]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.data())
def test_offsets_rise_and_do_not_depend_on_what_was_before_a_newest_reading(times: list[int], data: Any) -> None:
    time_ms = np.array(times)
    made = offsets_by_time(time_ms)
    assert (np.diff(made) > 0).all()
    begins = [at for at in range(len(times)) if made[at] == time_ms[at]]
    at = data.draw(st.sampled_from(begins))
    assert offsets_by_time(time_ms[at:]).tolist() == made[at:].tolist()


# -- what is asked, and what is answered


def test_the_company_s_query_is_asked_as_in_the_talk() -> None:
    asked: list[dict[str, Any]] = []

    def query_clean_data(query: dict[str, Any]) -> dict[str, Any]:
        asked.append(query)
        return columns(well(60))

    output = answer(LoadByTag, world(QuerySource(query_clean_data, raw=True)), event(60, lookback=30))
    assert asked == [
        {
            "client_id": "acme",
            "machine_id": "well-7",
            "from_time": iso(START_MS + 59 * MINUTE_MS - 30 * 86_400_000),
            "to_time": iso(START_MS + 59 * MINUTE_MS),
            "description": ["Casing Pressure", "Tubing Pressure"],
            "raw": True,
        }
    ]
    assert LoadADOutput.model_validate(output).status == "ok"
    assert len(output["labels"]) == len(output["times"]) == len(output["surprises"]) == 60


def test_an_answer_in_any_order_and_form_is_the_same() -> None:
    rows, kept = well(80), Kept()
    answer(LoadByTag, world(QuerySource(lambda _: columns(rows)), kept), event(80))
    expected = [(label.label_id, label.value, label.median) for label in kept.labels]
    times, casing, tubing = (np.array(column) for column in zip(*rows[::-1], strict=True))
    for form in (times.astype("datetime64[ms]"), times / 1000, [iso(one) for one in times.tolist()]):
        backwards = {"time": form, "Casing Pressure": casing, "Tubing Pressure": tubing}
        answer(LoadByTag, world(QuerySource(lambda _, found=backwards: found), kept), event(80))
        assert [(label.label_id, label.value, label.median) for label in kept.labels] == expected


@pytest.mark.parametrize("found", [{}, None, columns([]), {"time": [], "Casing Pressure": [], "Tubing Pressure": []}])
def test_no_data_is_an_empty_output(found: Any, log: Any) -> None:
    output = answer(LoadByTag, world(QuerySource(lambda _: found), Kept()), event(60))
    assert (output["status"], output["labels"], output["written"]) == ("no_data", [], None)
    assert output["missing"] == ["casing_pressure", "tubing_pressure"]
    assert "no_data" in log()


def test_a_missing_signal_is_critical_and_every_reading_says_so(log: Any) -> None:
    found = columns(well(60))
    for gone in ({**found, "Tubing Pressure": [None] * 60}, {"time": found["time"], "Casing Pressure": [1.0] * 60}):
        kept = Kept()
        output = answer(LoadByTag, world(QuerySource(lambda _, gone=gone: gone), kept), event(60))
        said = log()["signal_missing"]
        assert (said["level"], said["signal"], said["machine_id"]) == ("critical", "Tubing Pressure", "well-7")
        assert (output["status"], output["missing"]) == ("ok", ["tubing_pressure"])
        assert {label.reason for label in kept.labels} == {"missing_signal"}
        assert set(output["labels"]) == {0}


def test_how_long_the_query_took_and_how_old_the_newest_reading_is_are_logged(log: Any) -> None:
    now_ms = START_MS + 59 * MINUTE_MS + 90_000
    answer(LoadByTag, world(QuerySource(lambda _: columns(well(60))), now_ms=now_ms), event(60))
    said = log()
    assert (said["data_loaded"]["readings"], said["data_loaded"]["took_s"] >= 0) == (60, True)
    assert said["freshness"]["age_s"] == 90.0
    assert said["handled"]["labels"] == 60


def test_a_bad_event_is_answered_with_what_is_wrong(log: Any) -> None:
    said = answer(LOAD, world(QuerySource(lambda _: {})), {"machine_id": "well-7", "lookback": "long"}, "request-1")
    assert said["status"] == "bad_event"
    assert [one.split(":")[0] for one in said["wrong"]] == ["client_id", "lookback"]
    assert "client_id" in said["error"]
    assert log()["event_refused"]["request_id"] == "request-1"


def _refuses(_: Any) -> Any:
    raise TimeoutError("no answer for 30 s")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (_refuses, "_refuses for machine 'well-7' of client 'acme' failed: TimeoutError: no answer"),
        (lambda _: {"Casing Pressure": [1.0]}, "without 'time'"),
        (lambda _: {"time": ["yesterday"], "Casing Pressure": [1.0]}, "wrong time"),
        (lambda _: {"time": [START_MS], "Casing Pressure": ["high"]}, "no numbers"),
        (lambda _: {"time": [START_MS], "Casing Pressure": [1.0, 2.0]}, "2 values of 'Casing Pressure' and 1 times"),
    ],
)
def test_a_query_that_fails_is_one_of_our_errors_and_named(query: Any, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        answer(LoadByTag, world(QuerySource(query)), event(60))


def test_a_job_that_cannot_be_run_is_refused_before_the_first_event() -> None:
    class NoStack(CleanDataStack):
        pass

    class OtherNames(CleanDataStack):
        stack = LOAD.stack
        description = ("Annulus", "Tubing Pressure")

    for job, says in ((NoStack, "`stack` must be a stack"), (OtherNames, "must name the signals of its stack")):
        with pytest.raises(BadSettings, match=says):
            handler_for(job, QuerySource(lambda _: {}))


# -- files


@pytest.mark.parametrize("name", ["../well-7", "..", "a/../../well-7", "/etc/passwd"])
def test_no_name_leads_out_of_the_directory(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    a_file(tmp_path / "well-7.csv", well(5))
    for client, machine in (("acme", name), (name, "well-7")):
        assert not len(FileSource(inside).load(Query(client, machine, 0, 2 * START_MS, ())))


def test_one_file_of_many_machines_gives_each_its_own(tmp_path: Path) -> None:
    rows = [f"{iso(time)},{'well-7' if at % 2 else 'well-8'},{casing}" for at, (time, casing, _) in enumerate(well(10))]
    (tmp_path / "all.csv").write_text("\n".join(["time,machine_id,casing_pressure", *rows]))
    found = FileSource(tmp_path / "all.csv", unit="bar").load(Query("acme", "well-7", START_MS, 2 * START_MS, ()))
    assert found.time_ms.tolist() == [START_MS + MINUTE_MS * at for at in range(1, 10, 2)]
    assert found.psi_per_unit.tolist() == [pytest.approx(14.5, abs=0.01)] * 5


def test_a_file_that_cannot_be_read_says_where(tmp_path: Path) -> None:
    (tmp_path / "well-7.csv").write_text("time,casing_pressure\n2026-11-24,1\nyesterday,2\n")
    with pytest.raises(BadInputFile, match="row 3"):
        answer(LOAD, world(FileSource(tmp_path)), event(60))
    with pytest.raises(SourceError, match="is not there"):
        answer(LOAD, world(FileSource(tmp_path / "nowhere")), event(60))


# -- the command


def test_the_command_answers_an_event_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    a_file(tmp_path / "well-7.csv", well(60))
    asked = tmp_path / "event.json"
    asked.write_text(json.dumps(event(60)))
    result = CliRunner().invoke(app, ["handle", str(asked), "--source", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["labels"]) == 60
    asked.write_text("{}")
    refused = CliRunner().invoke(app, ["handle", str(asked), "--source", str(tmp_path)])
    assert (refused.exit_code, json.loads(refused.stdout)["status"]) == (1, "bad_event")
