"""Columns of a file as numbers: times as epoch milliseconds, signals as floats, names as indices."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.errors import BadInputFile, BadReading
from schemas.times import EARLIEST_MS, LATEST_MS, to_ms

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Gives the row of the file (the header is row 1) that holds a block's n-th reading.
RowOf = Callable[[int], int]

_MAX_ID = 128


def times_ms(path: Path, column: Any, row_of: RowOf) -> Ints:
    """Epoch milliseconds of ``column``: timestamps, ISO 8601 texts (no zone is UTC) or epoch numbers."""
    if column.null_count:
        row = row_of(_first_null(column))
        raise BadInputFile(f"{path}, row {row}: the time is empty; every reading needs one")
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = _parsed(column)
    elif pa.types.is_date(kind):
        column = column.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(column.type):
        us = (
            column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
            .cast(pa.int64())
            .to_numpy(zero_copy_only=False)
        )
        made = np.asarray((us + 500) // 1000, np.int64)
        wrong = np.flatnonzero((made < EARLIEST_MS) | (made > LATEST_MS))
        if len(wrong):
            raise BadInputFile(f"{path}, row {row_of(int(wrong[0]))}: the time is not between 1970 and 2100")
        return made
    return _one_by_one(path, column.to_pylist(), row_of)


def _first_null(column: Any) -> int:
    return int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))


def _parsed(column: Any) -> Any:
    """Texts as timestamps if all of them are ISO 8601 of one kind (with a zone, or all without); else as they were."""
    for kind in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    return column


def _one_by_one(path: Path, values: list[Any], row_of: RowOf) -> Ints:
    made = np.empty(len(values), np.int64)
    for index, value in enumerate(values):
        try:
            made[index] = to_ms(value)
        except BadReading as error:
            raise BadInputFile(f"{path}, row {row_of(index)}: {error.detail}") from error
    return made


def numbers(path: Path, name: str, column: Any) -> Floats:
    """``column`` as floats; NaN where it holds nothing."""
    kind = column.type
    if not (
        pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
    ):
        raise BadInputFile(f"{path}: column {name!r} holds {kind} and not numbers; leave it out or make numbers of it")
    made = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(made, np.float64)


def names(path: Path, what: str, column: Any, row_of: RowOf) -> tuple[list[str], Ints]:
    """The different names in ``column``, and which of them each row has."""
    if column.null_count:
        row = row_of(_first_null(column))
        raise BadInputFile(f"{path}, row {row}: {what} is empty; every reading needs one")
    coded = column.cast(pa.string()).dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    found, index = coded.dictionary.to_pylist(), np.asarray(coded.indices.to_numpy(zero_copy_only=False), np.int64)
    for place, name in enumerate(found):
        if not is_identifier(name):
            row = row_of(int(np.flatnonzero(index == place)[0]))
            raise BadInputFile(
                f"{path}, row {row}: {name[:80]!r} cannot be a {what}: 1 to {_MAX_ID} printable characters"
            )
    return found, index


def is_identifier(name: str) -> bool:
    """Whether readings may carry ``name`` as their client or machine (:data:`schemas.readings.Identifier`)."""
    return 0 < len(name) <= _MAX_ID and all(letter >= " " and letter != "\x7f" for letter in name)
