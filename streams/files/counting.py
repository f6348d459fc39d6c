"""How many readings files hold, for a progress bar: quickly, and exact but for line breaks inside quotes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from schemas.errors import BadInputFile
from streams.files.reading import find_files

_CHUNK_BYTES: Final = 1 << 20


def count_readings(paths: Iterable[Path]) -> int:
    """Rows of all files meant by ``paths``, headers not counted. Raises :class:`BadInputFile` as reading them does."""
    return sum(_count(path) for path in find_files(paths))


def _count(path: Path) -> int:
    try:
        if path.suffix.lower() == ".parquet":
            return int(pa_parquet.read_metadata(path).num_rows)
        lines, last = 0, b"\n"
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                lines += chunk.count(b"\n")
                last = chunk[-1:]
        return max(0, lines - 1 + (last != b"\n"))
    except (pa.ArrowException, OSError) as error:
        raise BadInputFile(f"{path} cannot be read: {error}") from error
