"""The same time on other days: a week of short means, one for each ten minutes of the day."""

from typing import Any, Final

import numpy as np

from models.engine.compiled import compiled

DAYS: Final = 8
SLOTS: Final = 144
DAY_MS: Final = 86_400_000
_SLOT_MS: Final = DAY_MS // SLOTS


@compiled
def day_distance(week: Any, time_ms: int, value: float) -> float:
    """Distance of ``value`` to the nearest of the same time (one slot either side) of up to seven other days.

    ``week``: DAYS x SLOTS, NaN where nothing was measured. NaN when none of these days had anything at this time.
    """
    day, slot = time_ms // DAY_MS, (time_ms % DAY_MS) // _SLOT_MS
    best = np.inf
    for back in range(1, DAYS):
        row = (day - back) % DAYS
        for aside in range(-1, 2):
            there = week[row, (slot + aside) % SLOTS]
            if there == there:
                best = min(best, abs(np.float64(there) - value))
    return best if best < np.inf else np.nan


@compiled
def note_day(week: Any, newest_day: int, time_ms: int, value: float) -> int:
    """Remember ``value`` for this time of this day; rows of days gone by are emptied. Returns the newest day so far."""
    day, slot = time_ms // DAY_MS, (time_ms % DAY_MS) // _SLOT_MS
    for new in range(max(newest_day + 1, day - DAYS + 1), day + 1):
        for i in range(SLOTS):
            week[new % DAYS, i] = np.nan
    week[day % DAYS, slot] = value
    return max(newest_day, day)
