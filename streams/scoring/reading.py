"""One machine's table from a file: the first column is the time, every other one a signal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pa_parquet

from schemas.errors import BadInputFile
from schemas.signals import is_name, standard_name
from streams.files.columns import numbers, times_ms

pa_csv: Any = pyarrow.csv  # exports its names without saying so, which type checkers do not take

#: What stands in a cell that holds no number.
_EMPTY: Final = ["", "NaN", "nan", "NAN", "NULL", "null", "None", "NA", "N/A", "#N/A"]


@dataclass(frozen=True, slots=True)
class Table:
    """``n`` readings of one machine, as they stand in the file."""

    times: Sequence[Any]  # n: as they were written
    time_ms: npt.NDArray[np.int64]  # n: event time; may repeat and step back
    signals: tuple[str, ...]  # s: names as the engine takes them
    values: npt.NDArray[np.float64]  # n x s, NaN where a cell is empty

    def __len__(self) -> int:
        return len(self.time_ms)


def read_table(path: Path) -> Table:
    """Read a CSV or Parquet file. Raises :class:`BadInputFile` with the file and, where there is one, the row."""
    ending = path.suffix.lower()
    if not path.is_file():
        raise BadInputFile(f"{path} is not there; give a CSV or Parquet file")
    if ending not in (".csv", ".parquet"):
        raise BadInputFile(f"{path} ends in {ending or 'nothing'}; wellsentry reads .csv and .parquet files")
    try:
        found = _read_csv(path) if ending == ".csv" else pa_parquet.read_table(path)
        if found.num_columns < 2:
            raise BadInputFile(
                f"{path} has {found.num_columns} column; it needs the time first and then one signal or more"
            )
        if len(set(found.column_names)) < found.num_columns:
            raise BadInputFile(f"{path} has two columns of the same name; rename one")
        return _table(path, found, first_row=2 if ending == ".csv" else 1)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInputFile(f"{path} cannot be read: {error}") from error


def _read_csv(path: Path) -> Any:
    with path.open("rb") as file:
        first = file.readline()
    if not first.strip():
        raise BadInputFile(f"{path} is empty; its first row must name the columns, the time first")
    header = pa_csv.read_csv(pa.BufferReader(first)).column_names
    kinds = {name: pa.float64() for name in header[1:]} | {header[0]: pa.string()}
    return pa_csv.read_csv(
        path,
        read_options=pa_csv.ReadOptions(use_threads=False),
        convert_options=pa_csv.ConvertOptions(
            column_types=kinds, null_values=_EMPTY, strings_can_be_null=True, quoted_strings_can_be_null=True
        ),
    )


def _table(path: Path, found: Any, first_row: int) -> Table:
    found = found.combine_chunks()
    time, names = found.column(0), found.column_names[1:]
    if found.num_rows == 0:
        raise BadInputFile(f"{path} has a header and no readings")
    time_ms = times_ms(path, time.combine_chunks(), lambda index: first_row + index)
    values = np.column_stack([numbers(path, name, found.column(name).combine_chunks()) for name in names])
    return Table(time.to_pylist(), time_ms, signal_names(names), np.ascontiguousarray(values))


def signal_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Names for signals that the engine takes, each different.

    >>> signal_names(["P-PDG", "Casing Pressure", "0", "p pdg"])
    ('p_pdg', 'casing_pressure', 'signal_0', 'p_pdg_2')
    """
    made: list[str] = []
    for column in columns:
        name = standard_name(column)
        name = name if is_name(name) else f"signal_{name}"[:60].rstrip("_")
        if not is_name(name):
            name = f"signal_{len(made) + 1}"
        number, unique = 1, name
        while unique in made:
            number += 1
            unique = f"{name}_{number}"
        made.append(unique)
    return tuple(made)
