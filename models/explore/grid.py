"""Readings on an even grid of time, for measures that need one."""

import math
from typing import Final

import numpy as np

from models.explore.series import Floats, Ints

#: More cells make everything slow and no picture better: a month of readings a minute has 43,200.
_MOST_CELLS: Final = 100_000


def on_grid(time_ms: Ints, values: Floats, interval_ms: float) -> tuple[Floats, int]:
    """Means of ``values`` (n x s) in cells as long as a reading's interval, or a multiple of it; and the cell's length in ms.

    NaN where a cell holds no value.

    >>> made, cell_ms = on_grid(np.array([0, 10, 31]), np.array([[1.0], [2.0], [4.0]]), 10)
    >>> made[:, 0].tolist(), cell_ms
    ([1.0, 2.0, nan, 4.0], 10)
    """
    span = int(time_ms[-1] - time_ms[0])
    cell_ms = max(1, round(interval_ms))
    cell_ms *= max(1, math.ceil((span / cell_ms + 1) / _MOST_CELLS))
    cell = (time_ms - time_ms[0] + cell_ms // 2) // cell_ms
    cells = int(cell[-1]) + 1
    made = np.full((cells, values.shape[1]), np.nan)
    for index, column in enumerate(values.T):
        there = ~np.isnan(column)
        counts = np.bincount(cell[there], minlength=cells)
        sums = np.bincount(cell[there], weights=column[there], minlength=cells)
        made[:, index] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return made, cell_ms
