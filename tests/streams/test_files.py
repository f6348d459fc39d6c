"""Files of readings: what is understood, what is refused and how it is said."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.batches import Machine, WideBatch, WideReadingRow
from models.simulator import Fleet
from schemas.errors import BadInputFile
from schemas.times import to_ms
from streams.files import find_files, read_file, read_files
from streams.files.counting import count_readings
from streams.files.merging import merge
from streams.files.writing import write_csv


def csv(directory: Path, text: str, name: str = "well-7.csv") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def rows(path: Path, client_id: str = "default") -> list[WideReadingRow]:
    return [row for batch in read_file(path, client_id) for row in batch.rows()]


def test_a_csv_file_of_the_real_wells_is_understood(tmp_path: Path) -> None:
    text = (
        "timestamp,casing_pressure,tubing_pressure,class\n"
        "2017-03-20 13:00:25.000000,470.695,882.689,3\n"
        "2017-03-20 13:00:35.000000,,884.246,\n"
    )
    first, second = rows(csv(tmp_path, text, "WELL-00001_class3.csv"), "acme")
    assert first == WideReadingRow(
        "acme",
        "WELL-00001_class3",
        to_ms("2017-03-20T13:00:25Z"),
        to_ms("2017-03-20T13:00:25Z"),
        {"casing_pressure": 470.695, "tubing_pressure": 882.689},
    )
    assert math.isnan(second.values["casing_pressure"])


def test_names_of_signals_are_standardised(tmp_path: Path) -> None:
    (row,) = rows(csv(tmp_path, "Time,Casing Pressure,TP,Pump Current,Label\n2026-01-01T00:00:00Z,1,2,3,x\n"))
    assert row.values == {"casing_pressure": 1.0, "tubing_pressure": 2.0, "pump_current": 3.0}


def test_the_first_column_is_the_time_when_none_says_so(tmp_path: Path) -> None:
    (row,) = rows(csv(tmp_path, "when,cp\n1795488250,5\n"))
    assert row.time_ms == 1_795_488_250_000


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T02:44:10Z",
        "2026-11-24 02:44:10",
        "2026-11-24T03:44:10+01:00",
        "2026-11-24T02:44:10.000",
        "1795488250",
        "1795488250000",
    ],
)
def test_a_time_is_taken_in_any_of_its_forms(tmp_path: Path, text: str) -> None:
    mixed = csv(tmp_path, f"time,cp\n{text},1\n2026-11-24T02:44:10Z,1\n1795488250,1\n")
    assert [row.time_ms for row in rows(mixed)] == [1_795_488_250_000] * 3
    assert rows(csv(tmp_path, f"time,cp\n{text},1\n"))[0].time_ms == 1_795_488_250_000


def test_columns_say_whose_readings_they_are(tmp_path: Path) -> None:
    text = "time,client_id,machine_id,cp\n1600000000,a,w1,1\n1600000001,b,w1,2\n1600000002,a,w2,3\n1600000003,a,w1,4\n"
    found = [(row.client_id, row.machine_id, row.values["casing_pressure"]) for row in rows(csv(tmp_path, text))]
    assert found == [("a", "w1", 1.0), ("b", "w1", 2.0), ("a", "w2", 3.0), ("a", "w1", 4.0)]


def test_a_file_is_read_in_its_own_order_and_duplicates_stay(tmp_path: Path) -> None:
    text = "time,cp\n1600000060,1\n1600000000,2\n1600000060,1\n1600000120,3\n"
    found = rows(csv(tmp_path, text))
    assert [row.time_ms // 1000 for row in found] == [1600000060, 1600000000, 1600000060, 1600000120]
    # What is late arrives when the newest before it did.
    assert [row.arrival_ms // 1000 for row in found] == [1600000060, 1600000060, 1600000060, 1600000120]


def test_a_file_of_a_header_alone_has_no_readings(tmp_path: Path) -> None:
    assert rows(csv(tmp_path, "time,cp\n")) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("time,cp\n2026-01-01T00:00:00Z,1\nyesterday,2\n", "row 3"),
        ("time,cp\n2026-01-01T00:00:00Z,1\n,2\n", "row 3"),
        ("time,cp\n2026-01-01T00:00:00Z,high\n", "Row #2"),
        ("time,cp\n2026-01-01T00:00:00Z,1,2\n", "Row #2"),
        ("time,cp\n1820-01-01T00:00:00Z,1\n", "row 2"),
        ("time,cp,Casing Pressure\n2026-01-01T00:00:00Z,1,2\n", "casing_pressure"),
        ("time,cp,cp\n2026-01-01T00:00:00Z,1,2\n", "same name"),
        ("time,class\n2026-01-01T00:00:00Z,1\n", "no column"),
        ("time,machine_id,cp\n2026-01-01T00:00:00Z,w,1\n2026-01-01T00:00:00Z,,1\n", "row 3"),
        ("time,1st\n2026-01-01T00:00:00Z,1\n", "'1st'"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_file_and_row(tmp_path: Path, text: str, words: str) -> None:
    path = csv(tmp_path, text)
    with pytest.raises(BadInputFile) as caught:
        rows(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_a_parquet_file_says_the_same_as_a_csv_file(tmp_path: Path) -> None:
    text = "time,machine_id,Casing Pressure,flow_rate\n2026-01-01T00:00:00.250Z,w,1.5,\n2026-01-01T00:01:00Z,w,2,3\n"
    times = pa.array([to_ms("2026-01-01T00:00:00.250Z"), to_ms("2026-01-01T00:01:00Z")], pa.timestamp("ms"))
    columns = {"time": times, "machine_id": ["w", "w"], "Casing Pressure": [1.5, 2.0], "flow_rate": [None, 3]}
    path = tmp_path / "x.parquet"
    pa_parquet.write_table(pa.table(columns), path)
    assert repr(rows(path)) == repr(rows(csv(tmp_path, text)))
    assert count_readings([path]) == 2


def test_a_parquet_column_of_words_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pa_parquet.write_table(pa.table({"time": [1_600_000_000], "cp": ["high"]}), path)
    with pytest.raises(BadInputFile, match="column 'cp'"):
        rows(path)


def test_damaged_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(BadInputFile, match=r"x\.parquet"):
        rows(path)


def test_a_directory_means_its_files_by_name(tmp_path: Path) -> None:
    for name in ("b.csv", "a.CSV", "c.txt"):
        csv(tmp_path, "time,cp\n1600000000,1\n", name)
    assert [path.name for path in find_files([tmp_path])] == ["a.CSV", "b.csv"]
    assert count_readings([tmp_path]) == 2


def test_a_path_that_holds_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInputFile, match="holds no"):
        find_files([tmp_path])
    with pytest.raises(BadInputFile, match="not there"):
        find_files([tmp_path / "x.csv"])
    with pytest.raises(BadInputFile, match=r"\.txt"):
        find_files([csv(tmp_path, "", "x.txt")])


def test_a_last_line_without_its_end_counts(tmp_path: Path) -> None:
    assert count_readings([csv(tmp_path, "time,cp\n1600000000,1\n1600000001,1")]) == 2


def test_files_are_merged_by_time(tmp_path: Path) -> None:
    csv(tmp_path, "time,cp\n1600000000,1\n1600000020,2\n1600000040,3\n", "a.csv")
    csv(tmp_path, "time,flow\n1600000010,4\n1600000020,5\n1600000050,6\n", "b.csv")
    merged = [row for batch in merge(read_files([tmp_path])) for row in batch.rows()]
    assert [(row.machine_id, *row.values.items()) for row in merged] == [
        ("a", ("casing_pressure", 1.0)),
        ("b", ("flow", 4.0)),
        ("a", ("casing_pressure", 2.0)),
        ("b", ("flow", 5.0)),
        ("a", ("casing_pressure", 3.0)),
        ("b", ("flow", 6.0)),
    ]


def one_machine(name: str, arrivals: list[int], block: int) -> list[WideBatch]:
    at = np.array(sorted(arrivals), np.int64)
    values = np.arange(len(at), dtype=np.float64).reshape(-1, 1)
    whole = WideBatch((Machine("c", name, ("x",)),), ("x",), np.zeros(len(at), np.int64), at, at, values)
    return [whole.part(start, start + block) for start in range(0, len(at), block)]


@given(st.lists(st.tuples(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 7)), min_size=1, max_size=5))
def test_merging_keeps_all_readings_and_each_streams_order(streams: list[tuple[list[int], int]]) -> None:
    made = [one_machine(str(index), arrivals, block) for index, (arrivals, block) in enumerate(streams)]
    merged = [row for batch in merge(made) for row in batch.rows()]
    assert [row.arrival_ms for row in merged] == sorted(moment for arrivals, _ in streams for moment in arrivals)
    for index, (arrivals, _) in enumerate(streams):
        own = [row.values["x"] for row in merged if row.machine_id == str(index)]
        assert own == list(range(len(arrivals)))


def test_simulated_wells_written_to_files_are_read_back(tmp_path: Path) -> None:
    fleet = Fleet(0, 4, 1_700_000_000_000)
    written = [
        row for batch in write_csv(fleet.readings(fleet.start_ms + 3 * 3_600_000), tmp_path) for row in batch.rows()
    ]
    for name in {row.machine_id for row in written}:
        own = [(row.time_ms, repr(row.values)) for row in written if row.machine_id == name]
        assert [(row.time_ms, repr(row.values)) for row in rows(tmp_path / f"{name}.csv")] == own


def test_files_of_another_run_are_not_added_to(tmp_path: Path) -> None:
    csv(tmp_path, "time,cp\n", "well-0001.csv")
    fleet = Fleet(0, 1, 1_700_000_000_000)
    with pytest.raises(BadInputFile, match="already"):
        list(write_csv(fleet.readings(fleet.start_ms + 3_600_000), tmp_path))
