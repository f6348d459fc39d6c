"""Cycles: a plunger that comes and goes, heading, slugging. Each is counted from one rise of the signal to the next.

A rise is where the signal comes from the lower third of what it does that day to the upper third: a slow drift moves both,
and noise in between counts for nothing. A signal that only rustles has no cycles; what tells them apart is how far it goes
compared with one step, and that its cycles are of a length.
"""

from typing import Final

import numpy as np

from models.explore.series import Floats, Ints
from models.explore.stretches import stretch
from schemas.exploration import Cycles

_DAY_MS: Final = 86_400_000
#: Where in what a signal does in a day (10 % to 90 % of its values) it is low, and high.
_LOW, _HIGH = 0.3, 0.7
#: A day in which it does less than this share of what it usually does is a day of rest.
_RESTING: Final = 0.5
#: Noise goes 2.7 of its usual steps far.
_LEAST_STEPS: Final = 4.0
_LEAST_CYCLES: Final = 5
_LEAST_READINGS: Final = 5  # in one
_LONGEST_MIN: Final = 720.0
#: Half of the cycles may differ by so much of their length ...
_VERY_REGULAR: Final = 0.4
#: ... or by so much, if there are many and the signal repeats itself after one cycle, by this correlation: what only wanders
#: comes back by chance a few times.
_REGULAR: Final = 0.75
_MANY_CYCLES: Final = 15
_REPEATS: Final = 0.25
_MOST_LENGTHS: Final = 500


def cycles(time_ms: Ints, values: Floats, signal: str, gap_ms: float) -> Cycles | None:
    """Cycles of ``values`` (n, NaN left out); None where there are none to be sure of. None spans a gap of ``gap_ms``.

    >>> minutes = np.arange(3000)
    >>> made = cycles(minutes * 60_000, np.sin(minutes / 90 * 2 * np.pi), "load", 1e6)
    >>> made.count, made.median_min, made.a_day
    (32, 90.0, 16.0)
    """
    there = ~np.isnan(values)
    t, v = time_ms[there], values[there]
    if len(t) < _LEAST_CYCLES * _LEAST_READINGS or v.min() == v.max():
        return None
    middle, reach = _daily_reach(t, v)
    typical = float(np.median(reach))
    steps = np.abs(np.diff(v))
    # Through a deadband noise stands still most of the time: its steps are those that it takes.
    if typical < _LEAST_STEPS * float(np.median(steps[steps > 0])):
        return None
    rises = _rises(v, middle + (_LOW - 0.5) * reach, middle + (_HIGH - 0.5) * reach)
    if len(rises) < 2:
        return None
    gaps_before = np.concatenate(([0], np.cumsum(np.diff(t) > gap_ms)))
    whole = np.diff(gaps_before[rises]) == 0
    starts, stops = rises[:-1][whole], rises[1:][whole]
    lengths_min = (t[stops] - t[starts]) / 60_000
    if len(lengths_min) < _LEAST_CYCLES or np.median(stops - starts) < _LEAST_READINGS:
        return None
    p10, p25, median, p75, p90 = np.quantile(lengths_min, (0.1, 0.25, 0.5, 0.75, 0.9)).tolist()
    width = (p75 - p25) / median
    if median > _LONGEST_MIN or width > _REGULAR:
        return None
    if width > _VERY_REGULAR and (
        len(lengths_min) < _MANY_CYCLES or _repeats(v, round(float(np.median(stops - starts)))) < _REPEATS
    ):
        return None
    longest = int(np.argmax(lengths_min))
    told = np.unique(np.linspace(0, len(lengths_min) - 1, _MOST_LENGTHS).round().astype(np.int64))
    return Cycles(
        signal=signal,
        count=len(lengths_min),
        median_min=median,
        p10_min=p10,
        p90_min=p90,
        a_day=1440 / median,
        longest=stretch(t, int(starts[longest]), int(stops[longest]) + 1),
        lengths_min=lengths_min[told].tolist(),
    )


def regularity(its: Cycles) -> float:
    """0: all of a length; for choosing among signals."""
    return (its.p90_min - its.p10_min) / its.median_min


def _daily_reach(t: Ints, v: Floats) -> tuple[Floats, Floats]:
    """At each reading: the middle of what the signal does that day, and how far it goes."""
    day = np.minimum(
        (t - t[0]) // _DAY_MS, max(0, int(t[-1] - t[0]) // _DAY_MS - 1)
    )  # a rest belongs to the day before
    days, starts = np.unique(day, return_index=True)
    low_high = np.array([np.quantile(part, (0.1, 0.9)) for part in np.split(v, starts[1:])])
    middle, reach = low_high.mean(axis=1), low_high[:, 1] - low_high[:, 0]
    reach = np.maximum(reach, _RESTING * float(np.median(reach)))
    if len(days) == 1:
        return np.full(len(t), middle[0]), np.full(len(t), reach[0])
    noon = t[0] + (days + 0.5) * _DAY_MS
    return np.interp(t, noon, middle), np.interp(t, noon, reach)


def _rises(v: Floats, low: Floats, high: Floats) -> Ints:
    """Places at which a value is high and the last one that was not in between was low."""
    state = np.where(v >= high, 1, np.where(v <= low, -1, 0))
    certain = np.flatnonzero(state)
    made: Ints = certain[1:][np.diff(state[certain]) == 2]
    return made


def _repeats(v: Floats, readings: int) -> float:
    """Correlation of a signal with itself so many readings later."""
    x, y = v[:-readings] - v[:-readings].mean(), v[readings:] - v[readings:].mean()
    power = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / power if power > 0 else 0.0
