"""What labels carry of the steps' findings, as columns of plain numbers: picked, rounded, in the order of the labels."""

from typing import Any, Final, NamedTuple

import numpy as np

from models.engine.codes import HELD, SEEN
from models.engine.compiled import compiled
from models.engine.verdicts import cut

#: Decimals that labels carry. Pressures are measured to 0.1 psi at best, and a surprise beyond its third is noise.
VALUE_DECIMALS: Final = 6
SURPRISE_DECIMALS: Final = 4

_PER_VALUE: Final = 10.0**VALUE_DECIMALS
_PER_SURPRISE: Final = 10.0**SURPRISE_DECIMALS


class Codes(NamedTuple):
    """The columns of integers, one number for each label."""

    place: list[int]  # of the reading in its run
    slot: list[int]
    offset: list[int]
    time_ms: list[int]
    kind: list[int]
    driver: list[int]
    verdict: list[int]
    alert: list[int]
    opened_offset: list[int]  # -1: none, and so below
    model_index: list[int]
    model_since: list[int]
    rung: list[int]
    partner: list[int]


@compiled
def _rounded(x: float, per: float) -> Any:
    """Rounded as numpy rounds, and never -0.0."""
    return np.rint(x * per) / per + 0.0


@compiled
def label_numbers(ints: Any, floats: Any, slot: Any, offset: Any, signals: int, features: int, views: int) -> Any:
    """Of all readings that get a label: :class:`Codes` (13 x m), numbers (s + 6 x m), and which rows of these have a NaN.

    Numbers are the signals, then value, median, low and high end of what is usual, raw score and surprise.
    """
    n, s = slot.shape[0], signals
    found = cut(ints, floats, n, s, features, views)
    m = 0
    for i in range(n):
        if found.kind[i] != SEEN and found.kind[i] != HELD:
            m += 1
    codes, numbers, has_nan = np.empty((13, m), np.int64), np.empty((s + 6, m)), np.zeros(s + 6, np.bool_)
    at = 0
    for i in range(n):
        if found.kind[i] == SEEN or found.kind[i] == HELD:
            continue
        k, model = found.driver[i], found.model_index[i]
        codes[0, at] = i
        codes[1, at] = slot[i]
        codes[2, at] = offset[i]
        codes[3, at] = found.time_ms[i]
        codes[4, at] = found.kind[i]
        codes[5, at] = k
        codes[6, at] = found.verdict[i]
        codes[7, at] = found.alert[i]
        codes[8, at] = found.opened_offset[i]
        codes[9, at] = model
        codes[10, at] = found.model_since[i] if model >= 0 else -1
        codes[11, at] = found.rung[i]
        codes[12, at] = found.partner[i]
        for j in range(s):
            numbers[j, at] = _rounded(found.signals[i, j], _PER_VALUE)
        numbers[s, at] = _rounded(found.feature[i, k], _PER_VALUE)
        numbers[s + 1, at] = _rounded(found.median[i, k], _PER_VALUE)
        numbers[s + 2, at] = _rounded(found.expected[i, 0], _PER_VALUE)
        numbers[s + 3, at] = _rounded(found.expected[i, 1], _PER_VALUE)
        numbers[s + 4, at] = _rounded(found.raw[i], _PER_VALUE)
        numbers[s + 5, at] = _rounded(found.surprise[i], _PER_SURPRISE)
        for row in range(s + 6):
            if numbers[row, at] != numbers[row, at]:
                has_nan[row] = True
        at += 1
    return codes, numbers, has_nan
