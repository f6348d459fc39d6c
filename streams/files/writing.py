"""Readings as CSV files, one for each machine, as :mod:`streams.files.reading` reads them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from models.batches import Machine, WideBatch
from schemas.errors import BadInputFile


def write_csv(batches: Iterable[WideBatch], directory: Path) -> Iterator[WideBatch]:
    """Write ``<machine_id>.csv`` files into ``directory`` and hand on each batch once it is written.

    Rows stand in the order of arrival; a cell without a value is empty. Raises :class:`BadInputFile` if a file is there
    already: readings are never added to those of another run.
    """
    directory.mkdir(parents=True, exist_ok=True)
    begun: set[Machine] = set()
    for batch in batches:
        times = np.datetime_as_string(batch.time_ms.astype("datetime64[ms]"), unit="ms", timezone="UTC")
        column = {name: index for index, name in enumerate(batch.signals)}
        for index in np.unique(batch.machine).tolist():
            machine = batch.machines[index]
            path = directory / f"{machine.machine_id}.csv"
            own = np.flatnonzero(batch.machine == index)
            values = batch.values[own][:, [column[name] for name in machine.signals]].tolist()
            try:
                with path.open("a" if machine in begun else "x", encoding="utf-8", newline="") as file:
                    if machine not in begun:
                        file.write(",".join(("timestamp", *machine.signals)) + "\n")
                    for time, row in zip(times[own].tolist(), values, strict=True):
                        file.write(",".join((time, *("" if value != value else repr(value) for value in row))) + "\n")
            except FileExistsError as error:
                raise BadInputFile(f"{path} is there already; choose an empty directory") from error
            begun.add(machine)
        yield batch
