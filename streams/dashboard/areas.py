"""Which area a machine stands in, from a table that whoever runs the fleet keeps."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from schemas.errors import BadInputFile

_COLUMNS: Final = ("client_id", "machine_id", "area")


def read_areas(path: str | None) -> Mapping[tuple[str, str], str]:
    """Areas by client and machine, of a CSV with the columns ``client_id``, ``machine_id``, ``area``; none without a file.

    Raises :class:`BadInputFile`, which names the file and the row.
    """
    if path is None:
        return {}
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if not set(_COLUMNS) <= set(rows.fieldnames or ()):
                raise BadInputFile(f"{path} lacks a column: it needs {', '.join(_COLUMNS)} in its first line")
            areas = {}
            for number, row in enumerate(rows, start=2):
                if not all(row[name] for name in _COLUMNS):
                    raise BadInputFile(f"{path}, line {number}: {', '.join(_COLUMNS)} must all be there")
                areas[row["client_id"], row["machine_id"]] = row["area"]
            return areas
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInputFile(f"{path} cannot be read: {error}; dashboard.areas_file names it") from error
