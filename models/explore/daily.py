"""What every day repeats: heat, shifts, a line that fills in the evening."""

from typing import Final

import numpy as np

from models.explore.series import Floats, Ints
from schemas.exploration import Daily

_HOUR_MS: Final = 3_600_000
_LEAST_DAYS: Final = 3
_LEAST_HOURS: Final = 12  # of a day that counts


def daily(time_ms: Ints, values: Floats) -> Daily | None:
    """Of ``values`` (n, NaN left out). None for less than three days, or where nothing moves.

    Each day's own mean is taken off before: a slow drift is no pattern. The strength is the share of the rest that the
    hour explains, less what it would by chance in so few days.

    >>> hours = np.arange(24 * 10)
    >>> made = daily(hours * 3_600_000, np.where(hours % 24 == 15, 8.0, 0.0))
    >>> made.days, round(made.strength, 3), made.peak_hour, made.amplitude
    (10, 1.0, 15, 8.0)
    """
    there = ~np.isnan(values)
    if not there.any():
        return None
    hours = time_ms[there] // _HOUR_MS
    first = int(hours[0]) // 24 * 24
    cells = (int(hours[-1]) - first) // 24 * 24 + 24
    place = hours - first
    v = np.clip(values[there], *np.quantile(values[there], (0.01, 0.99)))
    counts = np.bincount(place, minlength=cells).reshape(-1, 24)
    sums = np.bincount(place, weights=v, minlength=cells).reshape(-1, 24)
    table = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    table = table[(counts > 0).sum(axis=1) >= _LEAST_HOURS]
    days = len(table)
    if days < _LEAST_DAYS:
        return None
    table = table - np.nanmean(table, axis=1, keepdims=True)
    filled = ~np.isnan(table)
    seen = filled.sum(axis=0)
    by_hour = np.where(seen > 0, np.where(filled, table, 0.0).sum(axis=0) / np.maximum(seen, 1), np.nan)
    total = float((table[filled] ** 2).sum())
    if total <= 1e-18 * (1 + float(np.abs(v).max()) ** 2):
        return None
    explained = float((seen[seen > 0] * by_hour[seen > 0] ** 2).sum()) / total
    return Daily(
        days=days,
        strength=max(0.0, (explained - 1 / days) / (1 - 1 / days)),
        by_hour=[None if hour != hour else hour for hour in by_hour.tolist()],
        amplitude=float(np.nanmax(by_hour) - np.nanmin(by_hour)),
        peak_hour=int(np.nanargmax(by_hour)),
    )
