"""Readings from CSV and Parquet files."""

from pathlib import Path
from typing import Final

import numpy as np

from schemas.errors import SourceError
from schemas.units import psi_per
from streams.handler.sources import Floats, Ints, Query, Readings, wide_readings
from streams.log import get_logger

log = get_logger(__name__)

_ENDINGS: Final = (".csv", ".parquet")


class FileSource:
    """One file with many machines in it, or a directory with one for each: ``<machine>.csv``, or ``<client>/<machine>.csv``.

    Files are read as ``wellsentry feed`` reads them, in their own order.
    """

    def __init__(self, path: Path, *, unit: str = "psi") -> None:
        self._path, self._psi_per_unit = path, psi_per(unit)

    def load(self, query: Query) -> Readings:
        """The machine's rows of its file. Raises :class:`BadInputFile` for a file that cannot be read."""
        from streams.files.reading import read_file  # brings pyarrow, which other sources can do without

        columns: dict[str, list[Floats]] = {}
        times: list[Ints] = []
        for batch in read_file(found, query.client_id) if (found := self._file_of(query)) else ():
            whose = [(one.client_id, one.machine_id) == (query.client_id, query.machine_id) for one in batch.machines]
            own = np.array(whose, bool)[batch.machine]
            own &= (batch.time_ms >= query.from_ms) & (batch.time_ms <= query.to_ms)
            times.append(batch.time_ms[own])
            for name, column in zip(batch.signals, batch.values.T, strict=True):  # the same ones in all of a file
                columns.setdefault(name, []).append(column[own])
        time_ms = np.concatenate(times) if times else np.empty(0, np.int64)
        joined = {name: np.concatenate(parts) for name, parts in columns.items()}
        return wide_readings("file", joined, time_ms, self._psi_per_unit)

    def _file_of(self, query: Query) -> Path | None:
        """Where the machine's readings are; None where there is no such file."""
        if self._path.is_file():
            return self._path
        if not self._path.is_dir():
            raise SourceError(f"{self._path} is not there; give a CSV or Parquet file, or a directory of such files")
        # Names come with events: none may lead out of the directory.
        if any(name in (".", "..") or "/" in name or "\\" in name for name in (query.client_id, query.machine_id)):
            return None
        for directory in (self._path / query.client_id, self._path):
            for ending in _ENDINGS:
                file = directory / f"{query.machine_id}{ending}"
                if file.is_file():
                    return file
        log.warning(
            f"no file of machine {query.machine_id!r} in {self._path}", action="no_file", client_id=query.client_id
        )
        return None
