"""Tallies: how often a view's raw score fell into each of a row of bins, and how surprising each bin is because of it.

A bin's surprise is -log10 of the share of past scores that reached it. Above the highest tenth a generalised Pareto tail
goes on, fitted by its moments (Hosking and Wallis 1987, section 3), because 4,000 scores cannot show what happens once in
100,000. A tally costs 80 counts instead of 4,000 kept scores, and one addition a reading.
"""

import math
from typing import Any, Final

import numpy as np

from models.engine.compiled import compiled

BINS: Final = 80
_BINS_PER_OCTAVE: Final = 3
_LOWEST_OCTAVE: Final = -8
#: Width of a bin of a mean of surprises: 80 of them reach the highest surprise.
MEAN_BIN: Final = 0.075
#: Beyond so many counted scores older ones fade, so that a machine may change over the weeks.
FADE_BEYOND: Final = 4000.0
#: Fewer counted scores say nothing.
LEAST_COUNTED: Final = 12
HIGHEST: Final = 6.0
#: Surprises in a table are whole numbers of this part of a decade.
TABLE_STEPS: Final = 40.0
#: Who has seen n scores may call something rarer than any of them, but not by more than this (decades).
_BEYOND_SEEN: Final = 1.5
_TAIL_SHARE: Final = 0.1
_ENOUGH_FOR_SHAPE: Final = 15.0
_HEAVIEST: Final = 0.5
#: The tail falls to 1/e over at least this share of its threshold.
_LEAST_SCALE: Final = 0.1

#: Raw score at the lower end of each bin: of a view (logarithmic, in spreads), and of a mean of surprises (linear).
RAW_ENDS: Final = np.array([0.0] + [2.0 ** (b / _BINS_PER_OCTAVE + _LOWEST_OCTAVE) for b in range(BINS - 1)])
MEAN_ENDS: Final = np.array([b * MEAN_BIN for b in range(BINS)])


@compiled
def raw_bin(raw: float) -> int:
    """Bin of a raw score in spreads, at least 0; NaN goes to bin 0."""
    if not raw > 0.0:
        return 0
    octaves = (math.log2(raw) - _LOWEST_OCTAVE) * _BINS_PER_OCTAVE
    return min(max(math.floor(octaves) + 1, 0), BINS - 1)


@compiled
def mean_bin(mean: float) -> int:
    """Bin of a mean of surprises."""
    return min(int(mean / MEAN_BIN), BINS - 1)


@compiled
def fade(counts: Any) -> None:
    """Let old counts fade once there are more than enough."""
    total = 0.0
    for b in range(BINS):
        total += counts[b]
    if total > FADE_BEYOND:
        share = FADE_BEYOND / total
        for b in range(BINS):
            counts[b] = np.float32(counts[b] * share)


@compiled
def tabulate(counts: Any, ends: Any, table: Any) -> None:
    """Fill ``table`` (BINS) with the surprise of each bin in TABLE_STEPS: rising, up to HIGHEST.

    All 0 while too little was counted.
    """
    total = 0.0
    for b in range(BINS):
        total += counts[b]
    if total < LEAST_COUNTED:
        for b in range(BINS):
            table[b] = 0
        return
    threshold, above = BINS - 1, 0.0
    for b in range(BINS - 1, -1, -1):
        threshold = b
        if above + counts[b] > _TAIL_SHARE * total:
            break
        above += counts[b]
    mean, variance, shape = 0.0, 0.0, 0.0
    if above > 0.0:
        for b in range(threshold + 1, BINS):
            mean += counts[b] * (ends[b] - ends[threshold])
        mean /= above
        for b in range(threshold + 1, BINS):
            variance += counts[b] * (ends[b] - ends[threshold] - mean) ** 2
        variance /= above
    if above >= _ENOUGH_FOR_SHAPE and variance > 0.0:
        shape = min(max(0.5 * (1.0 - mean * mean / variance), 0.0), _HEAVIEST)
    least = _LEAST_SCALE * ends[threshold] if threshold > 0 else ends[1]
    scale = max(mean * (1.0 - shape), least)
    start = -math.log10((above + 1.0) / (total + 1.0))
    highest = min(HIGHEST, math.log10(total + 1.0) + _BEYOND_SEEN)
    reached = total
    before = 0.0
    for b in range(BINS):
        if b <= threshold:
            made = -math.log10((reached + 1.0) / (total + 1.0))
        else:
            excess = (ends[b] - ends[threshold]) / scale
            rarer = excess if shape == 0.0 else math.log1p(shape * excess) / shape
            made = start + rarer / math.log(10.0)
        reached = max(reached - counts[b], 0.0)
        before = min(max(made, before), highest)
        table[b] = round(before * TABLE_STEPS)
