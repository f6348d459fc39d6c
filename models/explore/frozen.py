"""Where a signal stands still for longer than is its way: a gauge that hangs, or a well that rests.

Which of the two it is, the others tell: while a well lives, some signal moves. A deadband is no fault either, so what a
signal usually does is its yardstick.
"""

from typing import Final

import numpy as np

from models.explore.series import Bools, Floats, Ints
from models.explore.stretches import longest, runs
from schemas.exploration import FrozenStretch
from schemas.times import moment

#: Never fewer readings and never less time, as for the worker: the longest heartbeat of a deadband is 10 minutes.
_LEAST_READINGS: Final = 30
_LEAST_MS: Final = 1_800_000
#: So many times as long as nearly all of its runs of equal values are: a deadband's are long, now and then.
_USUAL_TIMES: Final = 3.0
_NEARLY_ALL: Final = 0.98
#: Others move if they change in at least this share of the steps in which they usually do.
_MOVING_SHARE: Final = 0.5


def frozen(time_ms: Ints, values: Floats, others: Floats, gap_ms: float) -> tuple[list[FrozenStretch], int, float]:
    """The longest frozen stretches of ``values`` (n), how many there are, and for how many ms ``others`` (n x k) moved.

    Readings without a value neither end a stretch nor count; a gap longer than ``gap_ms`` ends it. A value of exactly 0 is no
    hanging gauge by itself (flow through a closed valve, an empty tank): it is left out.
    """
    there = np.flatnonzero(~np.isnan(values))
    if len(there) < _LEAST_READINGS:
        return [], 0, 0.0
    v, t = values[there], time_ms[there]
    starts, stops = runs(np.concatenate(((np.diff(v) == 0) & (np.diff(t) <= gap_ms), [False])))
    # A run of k equal steps is one of k + 1 readings; each change of value is a run of one.
    singles = len(v) - int((stops - starts + 1).sum())
    readings = stops - starts + 1
    usual = float(np.quantile(np.concatenate((readings, np.ones(max(singles, 0)))), _NEARLY_ALL, method="lower"))
    lasted_ms = t[stops] - t[starts]
    long = (readings >= max(_LEAST_READINGS, _USUAL_TIMES * usual)) & (lasted_ms >= _LEAST_MS) & (v[starts] != 0)
    starts, stops, lasted_ms = starts[long], stops[long], lasted_ms[long]
    changes, can_change = _changes(others)
    usual_rate = _rates(changes, can_change, np.array([0]), np.array([len(values) - 1]))[0]
    rate = _rates(changes, can_change, there[starts], there[stops])
    moved = ((rate >= _MOVING_SHARE * usual_rate) & (usual_rate > 0)).any(axis=1)
    told = [
        FrozenStretch(
            start=moment(int(t[start])),
            end=moment(int(t[stop])),
            readings=stop - start + 1,
            value=float(v[start]),
            others_moved=bool(moved[np.searchsorted(starts, start)]),
        )
        for start, stop in longest(starts, stops, lasted_ms)
    ]
    return told, len(starts), float(lasted_ms[moved].sum())


def _changes(others: Floats) -> tuple[Ints, Ints]:
    """Up to each reading: how often each other signal changed, and how often it could have (both n x k)."""
    steps = np.diff(others, axis=0)
    known: Bools = ~np.isnan(steps)
    zero = np.zeros((1, others.shape[1]), np.int64)
    changed = np.cumsum(known & (steps != 0), axis=0, dtype=np.int64)
    return np.concatenate((zero, changed)), np.concatenate((zero, np.cumsum(known, axis=0, dtype=np.int64)))


def _rates(changes: Ints, can_change: Ints, starts: Ints, stops: Ints) -> Floats:
    """How often each other signal changed a step, in each stretch (m x k)."""
    made: Floats = (changes[stops] - changes[starts]) / np.maximum(can_change[stops] - can_change[starts], 1)
    return made
