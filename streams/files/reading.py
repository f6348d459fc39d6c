"""Files of readings as wide readings, block by block and in the files' own order: defects must survive the reading."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pa_parquet

from models.batches import Ints, Machine, WideBatch
from schemas.errors import BadInputFile
from schemas.readings import DEFAULT_CLIENT
from streams.files.columns import is_identifier, names, numbers, times_ms
from streams.files.header import Header, read_header

pa_csv: Any = pyarrow.csv  # exports its names without saying so, which type checkers do not take

_BLOCK_BYTES: Final = 4 << 20
_BLOCK_ROWS: Final = 65_536
_ENDINGS: Final = (".csv", ".parquet")
#: What stands in a cell that holds no number.
_EMPTY: Final = ["", "NaN", "nan", "NAN", "NULL", "null", "None", "NA", "N/A", "#N/A"]


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The files meant by ``paths``: a directory is all its ``*.csv`` and ``*.parquet``, by name.

    Raises :class:`BadInputFile` for a path that is not there, is of another kind, or a directory without such files.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in _ENDINGS and file.is_file())
            if not inside:
                raise BadInputFile(f"directory {path} holds no *.csv and no *.parquet file")
            found.extend(inside)
        elif not path.exists():
            raise BadInputFile(f"{path} is not there; give a CSV or Parquet file, or a directory of such files")
        elif path.suffix.lower() not in _ENDINGS:
            raise BadInputFile(f"{path} ends in {path.suffix or 'nothing'}; wellsentry reads .csv and .parquet files")
        else:
            found.append(path)
    return found


def read_files(paths: Iterable[Path], client_id: str = DEFAULT_CLIENT) -> list[Iterator[WideBatch]]:
    """One stream of readings for each file that ``paths`` mean."""
    return [read_file(path, client_id) for path in find_files(paths)]


def read_file(path: Path, client_id: str = DEFAULT_CLIENT) -> Iterator[WideBatch]:
    """The readings of one file, in its order.

    A file without a column for the machine is one machine's: its name without the ending. ``client_id`` is for files
    that name no client. A reading arrives when it was measured, or with the newest one before it.
    Raises :class:`BadInputFile` with the file and, where there is one, the row.
    """
    try:
        blocks = _csv_blocks(path) if path.suffix.lower() == ".csv" else _parquet_blocks(path)
        row, newest_ms = 2 if path.suffix.lower() == ".csv" else 1, 0
        for header, block in blocks:
            if block.num_rows:
                batch = _batch(path, header, block, client_id, row, newest_ms)
                newest_ms = int(batch.arrival_ms[-1])
                yield batch
            row += block.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInputFile(f"{path} cannot be read: {error}") from error


def _csv_blocks(path: Path) -> Iterator[tuple[Header, Any]]:
    header = read_header(path, _csv_columns(path))
    text = {name for name in (header.time, header.machine, header.client) if name is not None}
    reader = pa_csv.open_csv(
        path,
        read_options=pa_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.string() if name in text else pa.float64() for name in header.wanted},
            include_columns=header.wanted,
            null_values=_EMPTY,
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return ((header, block) for block in reader)


def _csv_columns(path: Path) -> list[str]:
    """The names in the first row. Read apart, because a reader of blocks must know the columns' types beforehand."""
    with path.open("rb") as file:
        first = file.readline()
    if not first.strip():
        raise BadInputFile(f"{path} is empty; its first row must name the columns, the time among them")
    table = pa_csv.read_csv(pa.BufferReader(first), convert_options=pa_csv.ConvertOptions(strings_can_be_null=True))
    return list(table.column_names)


def _parquet_blocks(path: Path) -> Iterator[tuple[Header, Any]]:
    file = pa_parquet.ParquetFile(path)
    header = read_header(path, file.schema_arrow.names)
    return ((header, block) for block in file.iter_batches(batch_size=_BLOCK_ROWS, columns=header.wanted))


def _batch(path: Path, header: Header, block: Any, client_id: str, first_row: int, newest_ms: int) -> WideBatch:
    def row_of(index: int) -> int:
        return first_row + index

    signals = tuple(header.signals.values())
    time_ms = times_ms(path, block.column(header.time), row_of)
    values = np.column_stack([numbers(path, name, block.column(name)) for name in header.signals])
    machines, machine = _machines(path, header, block, client_id, signals, row_of)
    arrival_ms = np.maximum(np.maximum.accumulate(time_ms), newest_ms)
    return WideBatch(machines, signals, machine, time_ms, arrival_ms, values)


def _machines(
    path: Path, header: Header, block: Any, client_id: str, signals: tuple[str, ...], row_of: Callable[[int], int]
) -> tuple[tuple[Machine, ...], Ints]:
    clients, client = [client_id], np.zeros(block.num_rows, np.int64)
    if header.client is not None:
        clients, client = names(path, "client_id", block.column(header.client), row_of)
    wells, well = [path.stem], np.zeros(block.num_rows, np.int64)
    if header.machine is not None:
        wells, well = names(path, "machine_id", block.column(header.machine), row_of)
    elif not is_identifier(path.stem):
        raise BadInputFile(f"{path}: the file's name cannot name a machine; rename it or add a column machine_id")
    pairs, index = np.unique(client * len(wells) + well, return_inverse=True)
    machines = tuple(Machine(clients[pair // len(wells)], wells[pair % len(wells)], signals) for pair in pairs.tolist())
    return machines, np.asarray(index, np.int64)
