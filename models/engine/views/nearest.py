"""How far a value is from its nearest neighbours in a sorted row: what no past value comes near is rare.

Distance to the k-th nearest neighbour as a score: Ramaswamy, Rastogi, Shim, "Efficient algorithms for mining outliers from
large data sets", 2000.
"""

from typing import Any

import numpy as np

from models.engine.compiled import compiled


@compiled
def _place(row: Any, length: int, value: Any) -> int:
    low, high = 0, length
    while low < high:
        middle = (low + high) // 2
        if row[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def nearest(row: Any, length: int, value: Any, k: int) -> float:
    """Distance of ``value`` to its ``k``-th nearest in the sorted ``row[:length]``; ``1 <= k <= length``."""
    right = _place(row, length, value)
    left = right - 1
    distance = 0.0
    for _ in range(k):
        to_left = np.float64(value) - np.float64(row[left]) if left >= 0 else np.inf
        to_right = np.float64(row[right]) - np.float64(value) if right < length else np.inf
        if to_left <= to_right:
            distance = to_left
            left -= 1
        else:
            distance = to_right
            right += 1
    return distance


@compiled
def replace(row: Any, length: int, old: Any, new: Any) -> None:
    """Take ``old``, which is there, out of the sorted ``row[:length]`` and put ``new`` in: only what lies between moves."""
    at, to = _place(row, length, old), _place(row, length, new)
    if to > at:
        for i in range(at, to - 1):
            row[i] = row[i + 1]
        row[to - 1] = new
    else:
        for i in range(at, to, -1):
            row[i] = row[i - 1]
        row[to] = new


@compiled
def insert(row: Any, length: int, new: Any) -> None:
    """Put ``new`` into the sorted ``row[:length]``."""
    to = _place(row, length, new)
    for i in range(length, to, -1):
        row[i] = row[i - 1]
    row[to] = new
