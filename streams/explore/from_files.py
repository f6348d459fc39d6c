"""Readings out of CSV and Parquet files."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.batches import WideBatch
from schemas.signals import PRESSURES, SENTINELS
from schemas.units import psi_per
from streams.explore.gathering import Gathering
from streams.files import read_files


def gather_files(
    gathering: Gathering, paths: Sequence[Path], client_id: str, unit: str, on_progress: Callable[[int], None]
) -> None:
    """All readings of the files meant by ``paths``; ``client_id`` is for files that name none, ``unit`` of the pressures.

    Raises :class:`schemas.errors.BadInputFile`.
    """
    factor, read = psi_per(unit), 0
    for batches in read_files(paths, client_id):
        for batch in batches:
            gathering.add(batch if factor == 1.0 else _in_psi(batch, factor))
            read += len(batch)
            on_progress(read)


def _in_psi(batch: WideBatch, factor: float) -> WideBatch:
    values = batch.values.copy()
    for index, name in enumerate(batch.signals):
        if name in PRESSURES:
            column = values[:, index]
            values[:, index] = np.where(np.isin(column, list(SENTINELS)), column, column * factor)
    return replace(batch, values=values)
