"""``wellsentry score``: one answer to each row, causal, whatever the file holds; and the same from Python."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from schemas.errors import BadInputFile, BadSettings
from schemas.times import iso
from streams.cli.main import app
from streams.scoring import score_file, score_table
from streams.scoring.tables import Options

START_MS = 1_700_000_000_000


def write(path: Path, rows: Sequence[Sequence[Any]], header: Sequence[str] = ("timestamp", "value")) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def wave(n: int, jump_at: int | None = None) -> list[list[Any]]:
    noise = np.random.default_rng(5).normal(0, 1, n)
    made = [[iso(START_MS + 60_000 * i), round(100 + 10 * math.sin(i / 40) + noise[i], 3)] for i in range(n)]
    if jump_at is not None:
        for row in made[jump_at:]:
            row[1] += 60
    return made


def answers(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_row_gets_one_answer_and_a_jump_opens_one_alert(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", wave(600, jump_at=500))
    result = CliRunner().invoke(app, ["score", str(source), "--output", str(tmp_path / "out.csv"), "--warmup", "100"])
    assert result.exit_code == 0, result.output
    made = answers(tmp_path / "out.csv")
    assert list(made[0]) == ["timestamp", "score", "label", "alert"]
    assert [row["timestamp"] for row in made] == [row["timestamp"] for row in answers(source)]
    assert all(row["score"] == "" and row["label"] == "0" for row in made[:100])
    assert all(float(row["score"]) >= 0 for row in made[100:])
    assert [place for place, row in enumerate(made) if row["alert"] == "1" and place >= 490] == [500]


cells = st.one_of(st.floats(-50, 50).map(lambda x: round(x, 1)), st.sampled_from(["", "nan", 100.0, 100.0, 9999]))
steps = st.sampled_from([60, 60, 60, 60, 0, -120, 7200])


@settings(deadline=None, max_examples=15)
@given(
    rows=st.lists(st.tuples(steps, cells, cells), min_size=2, max_size=400),
    share=st.floats(0.1, 0.9),
    signals=st.integers(1, 2),
)
def test_what_comes_later_changes_no_answer(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], share: float, signals: int
) -> None:
    folder = tmp_path_factory.mktemp("score")
    time_ms, table = START_MS, []
    for step, *values in rows:
        time_ms += 1000 * step
        table.append([iso(time_ms), *values[:signals]])
    header = ["time", "a", "b"][: signals + 1]
    cut = max(1, int(share * len(table)))
    options = Options(warm_up=40)
    whole = score_file(write(folder / "whole.csv", table, header), folder / "1.csv", options)
    score_file(write(folder / "part.csv", table[:cut], header), folder / "2.csv", options)
    first, second = answers(folder / "1.csv"), answers(folder / "2.csv")
    assert len(whole) == len(table)
    assert first[:cut] == second


def test_refits_along_the_way_are_causal_too(tmp_path: Path) -> None:
    table = wave(1_000)
    score_file(write(tmp_path / "whole.csv", table), tmp_path / "1.csv")
    score_file(write(tmp_path / "part.csv", table[:617]), tmp_path / "2.csv")
    assert answers(tmp_path / "1.csv")[:617] == answers(tmp_path / "2.csv")


def test_times_that_repeat_or_step_back_are_treated_as_a_worker_does_and_stop_nothing(tmp_path: Path) -> None:
    table = wave(300)
    table[200][0], table[201][0] = table[199][0], iso(START_MS + 60_000 * 100 + 1)
    table[202][0], table[203][0] = table[150][0], iso(START_MS + 60_000 * 180 + 1)
    score_file(write(tmp_path / "in.csv", table), tmp_path / "out.csv", explain=True)
    made = answers(tmp_path / "out.csv")
    assert [made[at]["reason"] for at in range(200, 205)] == ["duplicate", "too_late", "duplicate", "", ""]
    assert {made[at]["score"] for at in range(200, 203)} == {""}
    assert float(made[203]["score"]) >= 0.0, "twenty newer readings: it has its place"
    assert {row["revision"] for row in made} == {"0"}, "no answer knows of rows that come after it"


def test_with_both_pressures_it_takes_the_load_stack(tmp_path: Path) -> None:
    table = [[time, 300 + x, 200] for time, x in wave(100)]
    source = write(tmp_path / "in.csv", table, ["time", "Casing Pressure", "Tubing Pressure"])
    score_file(source, tmp_path / "out.csv", explain=True)
    made = answers(tmp_path / "out.csv")[-1]
    assert (made["stack"], made["feature"], made["detector"]) == ("load", "load", "ensemble")
    assert float(made["value"]) == round(table[-1][1] - 200, 6)


def test_the_explanation_says_in_words_what_drove_it(tmp_path: Path) -> None:
    score_file(write(tmp_path / "in.csv", wave(500, jump_at=450)), tmp_path / "out.csv", explain=True)
    made = answers(tmp_path / "out.csv")[450]
    assert made["verdict"] == "anomalous"
    assert "value is far from its own median" in made["because"]


def test_parquet_and_a_mapping_say_the_same_as_csv(tmp_path: Path) -> None:
    table = wave(300, jump_at=250)
    columns = {"timestamp": [row[0] for row in table], "value": [row[1] for row in table]}
    pa_parquet.write_table(pa.table(columns), tmp_path / "in.parquet")
    from_csv = score_file(write(tmp_path / "in.csv", table), tmp_path / "1.csv")
    score_file(tmp_path / "in.parquet", tmp_path / "2.csv")
    from_table = score_table(columns)
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert np.array_equal(from_table["score"], from_csv.score, equal_nan=True)
    assert from_table["alert"].tolist() == from_csv.alert.tolist()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "is empty"),
        (b"time,value\n", "no readings"),
        (b"time\n2024-01-01\n", "needs the time first"),
        (b"time,value\n2024-01-01,1\nyesterday,2\n", "row 3"),
        (b"time,value\n2024-01-01,1\n,2\n", "row 3: the time is empty"),
        (b"time,value\n2024-01-01,1\n2024-01-02,two\n", "Row #3"),
        (b"time,a,a\n2024-01-01,1,1\n", "same name"),
        (b"\xff\xfe\x00bad", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(tmp_path: Path, text: bytes, says: str) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(text)
    with pytest.raises(BadInputFile, match=says):
        score_file(source, tmp_path / "out.csv")


def test_an_output_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadInputFile, match="cannot be written"):
        score_file(write(tmp_path / "in.csv", wave(5)), tmp_path / "no" / "out.csv")


def test_a_stack_whose_signals_are_not_in_the_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="needs 'casing_pressure'"):
        score_file(write(tmp_path / "in.csv", wave(5)), tmp_path / "out.csv", Options(stack="load"))
