"""Third step: the rolling median over each machine's trailing window.

Equal to ``numpy.nanmedian`` of the window on every step. The values of a window lie sorted in a row; the oldest is taken
out and the newest put in by moving what is between, which for windows of some hundred values is faster than any tree.
"""

from typing import Any

import numpy as np

from models.engine.codes import MISSING, SCORABLE
from models.engine.compiled import compiled

#: Values a machine's first window must hold before it can say where the machine's own middle lies.
REFERENCE_AFTER = 20

#: Interquartile range of a normal distribution in standard deviations.
_IQR_PER_SIGMA = 1.3489795003921634


@compiled
def _place(row: Any, length: int, value: float) -> int:
    """First index in the sorted ``row[:length]`` whose value is not below ``value``."""
    low, high = 0, length
    while low < high:
        middle = (low + high) // 2
        if row[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def put(row: Any, length: int, value: float) -> int:
    """Put ``value`` into the sorted ``row[:length]``, as exactly as it keeps values; the new length. NaN is left out."""
    if value != value:
        return length
    value = row.dtype.type(value)
    place = _place(row, length, value)
    for i in range(length, place, -1):
        row[i] = row[i - 1]
    row[place] = value
    return length + 1


@compiled
def take(row: Any, length: int, value: float) -> int:
    """Take ``value``, which is there, out of the sorted ``row[:length]``; the new length. NaN never went in."""
    if value != value:
        return length
    value = row.dtype.type(value)
    for i in range(_place(row, length, value), length - 1):
        row[i] = row[i + 1]
    return length - 1


@compiled
def middle(row: Any, length: int) -> Any:
    """Median of the sorted ``row[:length]``, rounded as numpy does; NaN when it is empty."""
    if length == 0:
        return np.nan
    half = length // 2
    if length % 2 == 1:
        return row[half]
    return (row[half - 1] + row[half]) / 2.0


@compiled
def _quantile(row: Any, length: int, share: float) -> Any:
    """Linear interpolation between the sorted values, numpy's default."""
    place = share * (length - 1)
    low = int(place)
    high = min(low + 1, length - 1)
    return row[low] + (row[high] - row[low]) * (place - low)


@compiled
def advance(
    s: int,
    sequence: int,
    span_ms: int,
    ring_ms: Any,
    ring_feature: Any,
    length: Any,
    valid: Any,
    ordered: Any,
) -> None:
    """Move machine ``s``'s window on to its reading number ``sequence``, whose features are in the ring already."""
    history = ring_ms.shape[1]
    limit = ordered.shape[2]
    features = ordered.shape[1]
    newest = ring_ms[s, sequence % history]
    while length[s] > 0:
        oldest = (sequence - length[s]) % history
        if length[s] < limit and (span_ms <= 0 or ring_ms[s, oldest] > newest - span_ms):
            break
        for k in range(features):
            valid[s, k] = take(ordered[s, k], valid[s, k], ring_feature[s, oldest, k])
        length[s] -= 1
    for k in range(features):
        valid[s, k] = put(ordered[s, k], valid[s, k], ring_feature[s, sequence % history, k])
    length[s] += 1


@compiled
def refill(
    s: int, stop: int, span_ms: int, ring_ms: Any, ring_feature: Any, length: Any, valid: Any, ordered: Any
) -> None:
    """Make machine ``s``'s window what it was when its reading number ``stop`` came."""
    history, limit = ring_ms.shape[1], ordered.shape[2]
    first = max(0, stop - limit)
    if span_ms > 0 and stop > 0:
        while ring_ms[s, first % history] <= ring_ms[s, (stop - 1) % history] - span_ms:
            first += 1
    length[s] = stop - first
    for k in range(ordered.shape[1]):
        held = 0
        for sequence in range(first, stop):
            x = ring_feature[s, sequence % history, k]
            if x == x:
                ordered[s, k, held] = x
                held += 1
        ordered[s, k, :held].sort()
        valid[s, k] = held


@compiled
def roll(
    slot: Any,  # n
    sequence: Any,  # n
    kind: Any,  # n: SCORABLE becomes MISSING where no feature could be computed
    feature: Any,  # n x k
    span_ms: int,
    ring_ms: Any,
    ring_feature: Any,
    length: Any,
    valid: Any,
    ordered: Any,
    reference: Any,
    spread: Any,
    median: Any,  # n x k, out; NaN where nothing went into the window
    held: Any,  # n x k, out: values the window held then
    own: Any,  # n x k x 2, out: the machine's reference and spread then
) -> None:
    """Put each accepted reading's features into its window and read off the medians.

    What later steps need of the window is noted for each reading: they run when the whole run has passed here.
    """
    history = ring_ms.shape[1]
    features = feature.shape[1]
    for i in range(slot.shape[0]):
        for k in range(features):
            median[i, k] = np.nan
        if sequence[i] < 0:
            continue
        s = slot[i]
        for k in range(features):
            ring_feature[s, sequence[i] % history, k] = feature[i, k]
            if kind[i] == SCORABLE and feature[i, k] != feature[i, k]:
                kind[i] = MISSING
        advance(s, sequence[i], span_ms, ring_ms, ring_feature, length, valid, ordered)
        for k in range(features):
            median[i, k] = middle(ordered[s, k], valid[s, k])
            held[i, k] = valid[s, k]
            if reference[s, k] != reference[s, k] and valid[s, k] >= min(REFERENCE_AFTER, ordered.shape[2]):
                _set_reference(ordered[s, k], valid[s, k], reference, spread, s, k)
            own[i, k, 0] = reference[s, k]
            own[i, k, 1] = spread[s, k]


@compiled
def _set_reference(row: Any, length: int, reference: Any, spread: Any, s: int, k: int) -> None:
    """The machine's own middle and spread, frozen from its first window. A flat signal's spread has a floor."""
    centre = middle(row, length)
    step = np.inf
    for i in range(1, length):
        gap = row[i] - row[i - 1]
        if 0.0 < gap < step:
            step = gap
    floor = step if step < np.inf else 1e-3 * max(1.0, abs(centre))
    reference[s, k] = centre
    spread[s, k] = max((_quantile(row, length, 0.75) - _quantile(row, length, 0.25)) / _IQR_PER_SIGMA, floor)


@compiled
def medians_of_history(times_ms: Any, feature: Any, count: int, span_ms: int, median: Any) -> None:
    """Rolling medians of a stretch in time order: ``times_ms`` n, ``feature`` n, ``median`` n out."""
    row = np.empty(count)
    length = 0
    valid = 0
    for i in range(times_ms.shape[0]):
        while length > 0:
            oldest = i - length
            if length < count and (span_ms <= 0 or times_ms[oldest] > times_ms[i] - span_ms):
                break
            valid = take(row, valid, feature[oldest])
            length -= 1
        valid = put(row, valid, feature[i])
        length += 1
        median[i] = middle(row, valid)
