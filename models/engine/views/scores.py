"""The raw scores of a reading's views, in spreads of its machine: what :mod:`look` and :mod:`again` have in common."""

from typing import Any, Final

import numpy as np

from models.engine.compiled import compiled
from models.engine.views.daily import day_distance
from models.engine.views.names import LEVEL, RARE_MEAN, RARE_MEDIAN, RARE_VALUE, RESIDUAL, SPREAD, TIME_OF_DAY
from models.engine.views.nearest import nearest
from models.engine.views.remembered import ordered
from models.engine.views.state import SHORT_WINDOW
from models.engine.window import middle

_MEAN_OF: Final = 10  # readings of the short mean
_DAY_MEAN_OF: Final = 3  # of the mean that is compared with other days
_LEAST_LONG: Final = 20  # values in the long history before rarity says anything
_NEIGHBOUR_SHARE: Final = 0.002  # of the long history: the neighbour whose distance counts
_SPREAD_FLOOR: Final = 0.05  # of the machine's own first spread


@compiled
def _mean_of_last(ring: Any, newest: int, count: int) -> float:
    """Mean of the last ``count`` values that are there; ``ring`` is one feature's history."""
    total, found = 0.0, 0
    for back in range(min(newest + 1, 2 * count)):
        x = ring[(newest - back) % ring.shape[0]]
        if x == x:
            total += x
            found += 1
            if found == count:
                break
    return total / found


@compiled
def short_mean(ring: Any, newest: int) -> Any:
    """The short mean, as exactly as the long history keeps it."""
    return np.float32(_mean_of_last(ring, newest, _MEAN_OF))


@compiled
def mean_of_the_moment(ring: Any, newest: int) -> float:
    """What is compared with the same time of other days."""
    return _mean_of_last(ring, newest, _DAY_MEAN_OF)


@compiled
def _mean_step(ring: Any, newest: int, count: int) -> float:
    """Mean absolute difference of the last ``count`` neighbours."""
    total, found = 0.0, 0
    for back in range(min(newest, count)):
        step = abs(ring[(newest - back) % ring.shape[0]] - ring[(newest - back - 1) % ring.shape[0]])
        if step == step:
            total += step
            found += 1
    return total / found if found > 0 else 0.0


@compiled
def _range(row: Any, length: int) -> Any:
    """What lies between the lowest and the highest tenth of a sorted row."""
    return row[int(0.9 * (length - 1))] - row[int(0.1 * (length - 1))]


@compiled
def score_by_windows(
    ring: Any,  # one feature's history
    newest: int,
    median_before: float,
    short: Any,  # sorted rows and how many values they hold
    short_valid: int,
    wide: Any,
    wide_valid: int,
    spread: float,
    raw: Any,  # VIEWS, out: NaN where a view has nothing to say
) -> None:
    """The views that follow from the trailing windows alone."""
    if median_before == median_before:
        raw[RESIDUAL] = abs(ring[newest % ring.shape[0]] - median_before)
    if wide_valid > SHORT_WINDOW:
        raw[LEVEL] = abs(middle(short, short_valid) - middle(wide, wide_valid))
    if wide_valid > 1:
        usual = _range(wide, wide_valid) + _SPREAD_FLOOR * spread
        raw[SPREAD] = _mean_step(ring, newest, _MEAN_OF) / usual * spread


@compiled
def score_by_memory(
    value: Any,
    short: Any,
    today: float,
    median: float,
    time_ms: int,
    values: Any,  # 2 LONG: the long history and its order
    means: Any,  # 2 LONG: that of the short means
    held: int,  # values in these two
    week: Any,
    raw: Any,  # VIEWS, out
) -> None:
    """The views that compare with what was learnt."""
    if held >= _LEAST_LONG:
        neighbour = max(1, int(held * _NEIGHBOUR_SHARE))
        raw[RARE_VALUE] = nearest(ordered(values), held, value, neighbour)
        raw[RARE_MEAN] = nearest(ordered(means), held, short, neighbour)
        raw[RARE_MEDIAN] = nearest(ordered(values), held, np.float32(median), neighbour)
    raw[TIME_OF_DAY] = day_distance(week, time_ms, today)
