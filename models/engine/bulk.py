"""Chunks and heads of many machines at once, the same bytes as one by one.

Nearly all machines of a commit are ordinary: no alert, no tags, no late reading. Their records differ in nothing but numbers,
so they are cut out of a few arrays; one by one each would take ten times as long.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.engine.state import LATENESS, StackState

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint8]


def as_rows(column: npt.NDArray[Any]) -> Rows:
    """The bytes of each entry of a column, as (n, bytes of one)."""
    n = len(column)
    return np.ascontiguousarray(column).view(np.uint8).reshape(n, -1) if n else np.empty((0, 0), np.uint8)


def entries(state: StackState, ring_columns: Sequence[str], slots: Ints, first: Ints, count: int) -> list[Rows]:
    """``count`` readings of each machine from number ``first`` on, column by column, as rows."""
    numbers = first[:, None] + np.arange(count)
    ring, recent, at = numbers % state.history, numbers % LATENESS, slots[:, None]
    return [as_rows(getattr(state, name)[at, ring]) for name in ring_columns] + [
        as_rows(state.recent["offset"][at, recent])
    ]


def cut(front: bytes, rows: Sequence[Rows]) -> list[bytes]:
    """Each machine's rows one after the other behind ``front``."""
    whole = np.concatenate(rows, axis=1)
    size, data = whole.shape[1], whole.tobytes()
    return [front + data[at : at + size] for at in range(0, len(data), size)]
