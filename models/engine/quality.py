"""Second step: which values cannot be what was measured (wells.md, defects), judged by the signal's own past.

Only pressures are judged: of other signals nobody knows which jumps are defects and which are what one looks for. A value
that is recognised does not reach windows, features or training. The yardstick of a signal is the largest step it took
lately: a plunger well's tubing pressure moves by 100 psi within a reading, a rod pump's by one.
"""

from typing import Any, Final

import numpy as np

from models.engine.codes import FROZEN, MISSING, NOTHING, SCORABLE, SPIKE, UNIT
from models.engine.compiled import compiled

QUALITY: Final = np.dtype(
    [
        ("level", "<f4"),  # last value that was believed
        ("stride", "<f4"),  # largest believed step, fading
        ("suspect", "<f4"),  # value that jumped away and waits to be confirmed
        ("last", "<f4"),  # last value, believed or not
        ("same_since_s", "<u4"),  # since when it has been that value; epoch seconds
        ("believed", "i1"),  # values believed so far
        ("waiting", "<i2"),  # readings for which the suspect was seen
        ("same", "<i2"),  # readings in a row with that value
        ("longest", "<f4"),  # longest such row that was no fault, fading
        ("others", "<i2"),  # readings in this row in which another signal moved
        ("unit", "i1"),  # index into _FACTORS + 1 while in another unit; 0: in its own
    ]
)

#: A value this many of its largest steps away is suspected ...
_FAR: Final = 2.0
#: ... and believed when so many readings in a row stay near it.
_CONFIRMED_BY: Final = 2
#: An exact 0 or -1 is what historians write for "nothing", so it has to last longer, and a smaller step is suspicious.
_NOTHING_CONFIRMED_BY: Final = 10
#: Largest steps fade by this much a reading: half in about 1,400.
_FADE: Final = 0.9995
#: Before so many values nothing is known of a signal.
_LEARN: Final = 20

#: What a pressure is multiplied by when psi are read as kPa or bar, and back.
_FACTORS: Final = np.array([6.894757293168361, 0.06894757293168361, 1.0 / 6.894757293168361, 1.0 / 0.06894757293168361])
#: How near to a factor a step's ratio must be: of one signal alone; of one of several; and of each of these, for a plunger
#: well may change its state at the same reading.
_ALONE: Final = 0.02
_ONE_OF_ALL: Final = 0.12
_EACH_OF_ALL: Final = 0.5
#: A unit that stays for so many readings is the unit now.
_NEW_UNIT_AFTER: Final = 30_000

#: A value stands still at least so long, longer than any heartbeat (10 min), and three times as long as it ever did ...
_STILL_READINGS: Final = 30
_STILL_S: Final = 1_800
_STILL_TIMES: Final = 3.0
#: Rows are counted up to here.
_MOST: Final = 30_000
#: ... while others moved in at least so much of these readings.
_OTHERS_MOVED: Final = 0.5


@compiled
def _far(q: Any, x: float, nothing: bool) -> Any:
    """Whether ``x`` is farther from the level than this signal ever steps."""
    floor = 0.05 * abs(q.level) + 1e-9
    return abs(x - q.level) > (1.0 if nothing else _FAR) * q.stride + floor


@compiled
def _common_factor(quality: Any, values: Any, pressure: Any) -> int:
    """Index + 1 of the unit factor that all pressures jumped by at once, or the only one did, exactly; 0 for none."""
    for f in range(len(_FACTORS)):
        known, broadly, nearest = 0, 0, np.inf
        for j in range(values.shape[0]):
            q = quality[j]
            if pressure[j] and values[j] == values[j] and q.believed >= _LEARN and q.level > 0.0:
                known += 1
                off = abs(values[j] / q.level / _FACTORS[f] - 1.0)
                nearest = min(nearest, off)
                if off <= _EACH_OF_ALL:
                    broadly += 1
        if known > 0 and broadly == known and nearest <= (_ALONE if known == 1 else _ONE_OF_ALL):
            return f + 1
    return 0


@compiled
def _back_in_unit(quality: Any, values: Any, pressure: Any) -> bool:
    """Whether pressures in a foreign unit are back near the level they left."""
    for j in range(values.shape[0]):
        q = quality[j]
        if pressure[j] and q.unit > 0 and values[j] == values[j]:
            foreign = abs(values[j] / (q.level * _FACTORS[q.unit - 1]) - 1.0)
            own = abs(values[j] / q.level - 1.0)
            if own < foreign:
                return True
    return False


@compiled
def check_quality(
    slot: Any,  # n
    sequence: Any,  # n
    time_ms: Any,  # n
    pressure: Any,  # s: whether a signal is a pressure
    values: Any,  # n x s: what is not believed becomes NaN
    kind: Any,  # n: SCORABLE becomes the reason why not
    ring_signal: Any,
    quality: Any,  # rows x s
) -> None:
    """Judge each accepted reading's values by what the machine's signals did before."""
    history, signals = ring_signal.shape[1], values.shape[1]
    for i in range(slot.shape[0]):
        if sequence[i] < 0:
            continue
        s = slot[i]
        row = quality[s]
        found = SCORABLE
        any_unit = False
        for j in range(signals):
            if row[j].unit > 0:
                any_unit = True
        if any_unit:
            if _back_in_unit(row, values[i], pressure):
                for j in range(signals):
                    row[j].unit = 0
                any_unit = False
        else:
            factor = _common_factor(row, values[i], pressure)
            if factor > 0:
                any_unit = True
                for j in range(signals):
                    if pressure[j]:
                        row[j].unit = factor
                        row[j].waiting = 0

        moved = 0
        for j in range(signals):
            if values[i, j] == values[i, j] and np.float32(values[i, j]) != row[j].last:
                moved += 1

        for j in range(signals):
            q = row[j]
            x = values[i, j]
            if x != x or not pressure[j]:
                continue
            bad = SCORABLE
            still = _count_still(q, x, time_ms[i], moved)
            if any_unit and q.unit > 0:
                bad = UNIT
                q.waiting += 1
                if q.waiting >= _NEW_UNIT_AFTER:
                    for m in range(signals):
                        row[m].unit = 0
                        row[m].believed = 0
            elif q.believed < _LEARN:
                _believe(q, x)
            else:
                nothing = x == 0.0 or x == -1.0
                if _far(q, x, nothing):
                    near = q.waiting > 0 and abs(x - q.suspect) <= max(_FAR * q.stride, 0.25 * abs(q.suspect - q.level))
                    q.waiting = q.waiting + 1 if near else 1
                    q.suspect = x
                    if q.waiting > (_NOTHING_CONFIRMED_BY if nothing else _CONFIRMED_BY):
                        q.waiting = 0
                        q.level = x
                    else:
                        bad = NOTHING if nothing else SPIKE
                else:
                    q.waiting = 0
                    _believe(q, x)
            if bad == SCORABLE and still:
                bad = FROZEN
            if bad != SCORABLE:
                values[i, j] = np.nan
                ring_signal[s, sequence[i] % history, j] = np.nan
                if found == SCORABLE or bad == UNIT:
                    found = bad
        if found != SCORABLE and (kind[i] == SCORABLE or kind[i] == MISSING):
            kind[i] = found


@compiled
def _believe(q: Any, x: float) -> None:
    if q.believed > 0:
        q.stride = max(q.stride * _FADE, abs(x - q.level))
    q.level = x
    if q.believed < _LEARN:
        q.believed += 1


@compiled
def _count_still(q: Any, x: float, time_ms: int, moved: int) -> Any:
    """Whether ``x`` has stood still for longer than is this signal's way while others moved.

    A signal that never moved has no way of its own: it may be a line held at one pressure, seen through a deadband.
    """
    if np.float32(x) != q.last:
        if q.same > q.longest and not _is_still(q, time_ms):
            q.longest = q.same
        q.longest = max(q.longest * np.float32(_FADE), np.float32(1.0))
        q.last = x
        q.same = 1
        q.others = 0
        q.same_since_s = time_ms // 1000
        return False
    if q.same < _MOST:
        q.same += 1
        if moved > 0:
            q.others += 1
    return _is_still(q, time_ms)


@compiled
def _is_still(q: Any, time_ms: int) -> Any:
    readings = q.same >= max(_STILL_READINGS, _STILL_TIMES * q.longest)
    long_enough = readings and time_ms // 1000 - np.int64(q.same_since_s) >= _STILL_S
    return q.stride > 0.0 and long_enough and q.others >= _OTHERS_MOVED * q.same
