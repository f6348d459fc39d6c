"""Fewer points of a line for a picture, with every peak in its place."""

import numpy as np

from models.explore.series import Floats, Ints


def thinned(time_ms: Ints, values: Floats, start_ms: int, end_ms: int, columns: int) -> tuple[Ints, Floats]:
    """Of each of ``columns`` equal parts of the span the lowest and the highest value, in order of time; NaN is left out.

    >>> t, v = thinned(np.arange(100), np.where(np.arange(100) == 41, 9.0, 1.0), 0, 99, 2)
    >>> t.tolist(), v.tolist()
    ([0, 41, 50], [1.0, 9.0, 1.0])
    """
    there = np.flatnonzero(~np.isnan(values) & (time_ms >= start_ms) & (time_ms <= end_ms))
    if len(there) <= 2 * columns:
        return time_ms[there], values[there]
    column = ((time_ms[there] - start_ms) * columns // max(1, end_ms - start_ms + 1)).astype(np.int64)
    first = np.flatnonzero(np.concatenate(([True], np.diff(column) > 0)))
    kept = np.zeros(len(there), bool)
    v = values[there]
    for extreme in (np.minimum, np.maximum):
        of_column = extreme.reduceat(v, first)
        hit = np.flatnonzero(v == np.repeat(of_column, np.diff(np.append(first, len(v)))))
        _, once = np.unique(column[hit], return_index=True)
        kept[hit[once]] = True
    return time_ms[there[kept]], v[kept]
