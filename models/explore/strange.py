"""The stretches that are least like the rest of their machine."""

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

from models.explore.series import Floats, Ints, Series
from models.spreads import robust_spread
from schemas.exploration import Strange
from schemas.times import moment

#: The span is cut into so many windows, none shorter than twelve readings or ten minutes.
_WINDOWS: Final = 400
_LEAST_READINGS: Final = 12
_LEAST_MS: Final = 600_000
#: Fewer windows have no usual.
_LEAST_WINDOWS: Final = 12
#: Windows at least so strange, side by side, are one stretch.
_JOINED: Final = 4.0
_MOST: Final = 5

_Measure = Literal["level", "spread"]


def strange(series: Series, interval_ms: float) -> list[Strange]:
    """The strangest stretches, strangest first.

    Of each window and signal the median and the spread (10 % to 90 %) are compared with those of all windows of the
    machine, in units of how much these usually differ. A level that moves by less than the signal does all the time is
    not strange.
    """
    window, count = _windows(series.time_ms, interval_ms)
    if count < _LEAST_WINDOWS:
        return []
    looked = [look for index in range(len(series.signals)) for look in _looks(series, index, window, count)]
    if not looked:
        return []
    distance = np.array([look[2] for look in looked])  # looks x windows
    score = distance.max(axis=0)
    found = []
    for start, stop in _stretches(score):
        peak = start + int(np.argmax(score[start:stop]))
        which = int(np.argmax(distance[:, peak]))
        signal, measure, _, values, low, high = looked[which]
        inside = np.flatnonzero((window >= start) & (window < stop))
        found.append(
            Strange(
                client_id=series.client_id,
                machine_id=series.machine_id,
                start=moment(int(series.time_ms[inside[0]])),
                end=moment(int(series.time_ms[inside[-1]])),
                signal=signal,
                measure=measure,
                value=float(values[peak]),
                usual_low=low,
                usual_high=high,
                strangeness=float(score[peak]),
            )
        )
    return sorted(found, key=lambda one: (-one.strangeness, one.start))[:_MOST]


def _windows(time_ms: Ints, interval_ms: float) -> tuple[Ints, int]:
    """Which window each reading is in (n), and how many there are."""
    span = int(time_ms[-1] - time_ms[0])
    length = max(_LEAST_READINGS * interval_ms, span / _WINDOWS, float(_LEAST_MS))
    window = ((time_ms - time_ms[0]) / length).astype(np.int64)
    return window, int(window[-1]) + 1


def _looks(
    series: Series, index: int, window: Ints, count: int
) -> Iterator[tuple[str, _Measure, Floats, Floats, float, float]]:
    """Level and spread of one signal: how far each window is from the usual, its values, and what is usual."""
    low, level, high = _quantiles(series.values[:, index], window, count)
    known = ~np.isnan(level)
    if known.sum() < _LEAST_WINDOWS:
        return
    spread = high - low
    moves = float(np.median(spread[known]))
    measures: tuple[tuple[_Measure, Floats], ...] = (("level", level), ("spread", spread))
    for measure, values in measures:
        usual = values[known]
        middle = float(np.median(usual))
        yardstick = max(robust_spread(usual), 0.25 * moves, 0.005 * abs(float(np.median(level[known]))), 1e-12)
        distance = np.where(known, np.abs(values - middle) / yardstick, 0.0)
        bounds = np.quantile(usual, (0.05, 0.95)).tolist()
        yield series.signals[index], measure, distance, values, bounds[0], bounds[1]


def _quantiles(values: Floats, window: Ints, count: int) -> tuple[Floats, Floats, Floats]:
    """The 10 %, 50 % and 90 % value in each window (nearest rank); NaN in those with too few values."""
    there = ~np.isnan(values)
    v, w = values[there], window[there]
    v = v[np.lexsort((v, w))]
    counts = np.bincount(w, minlength=count)
    first = np.cumsum(counts) - counts
    enough = counts >= _LEAST_READINGS // 2
    made = []
    for share in (0.1, 0.5, 0.9):
        place = np.where(enough, first + np.rint(share * (counts - 1)).astype(np.int64), 0)
        made.append(np.where(enough, v[place] if len(v) else np.nan, np.nan))
    return made[0], made[1], made[2]


def _stretches(score: Floats) -> list[tuple[int, int]]:
    """Windows from and to: neighbours that are strange together; where fewer are than are told, the strangest alone."""
    strange_ones = np.flatnonzero(score >= _JOINED)
    groups = np.split(strange_ones, np.flatnonzero(np.diff(strange_ones) > 1) + 1) if len(strange_ones) else []
    found = [(int(group[0]), int(group[-1]) + 1) for group in groups]
    if found:
        return found
    peak = int(np.argmax(score))
    return [(peak, peak + 1)] if score[peak] > 0 else []
