"""Pressures that look as if they were in another unit: than those of the other machines, or than before.

The factors between psi, kPa, bar and MPa are so large and so exact that a change of unit leaves little doubt, if it is
asked of the whole of what a signal does and not of two neighbouring values: a plunger's tubing pressure falls by a factor
of 7 in a minute, many times a day, and comes back.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.explore.series import Floats, Ints, Series
from models.spreads import robust_spread
from schemas.exploration import UnitSuspicion
from schemas.signals import PRESSURES
from schemas.times import moment
from schemas.units import PSI_PER

UNITS: Final[Mapping[str, float]] = {
    "psi": 1.0, "kPa": PSI_PER["kpa"], "bar": PSI_PER["bar"], "MPa": PSI_PER["mpa"]
}  # fmt: skip

#: Fewer machines have no usual.
_LEAST_MACHINES: Final = 5
#: So many spreads from the others is suspicious, and so many after the factor is all right.
_FAR, _NEAR = 3.0, 2.0
#: Machines differ by 15 % at least, whatever these few do.
_LEAST_LOG_SPREAD: Final = 0.15


#: If there are more such machines, they are another kind of well.
_MOST_SHARE: Final = 0.2
#: If the others lie farther apart than this, a machine that is far from them may be anything.
_MOST_LOG_SPREAD: Final = 0.8


@dataclass(frozen=True, slots=True)
class _Change:
    """From one unit to another: the number becomes so many times as large, in logarithms."""

    instead_of: str
    looks_like: str
    log_times: float


_CHANGES: Final = tuple(
    _Change(one, other, math.log(UNITS[one] / UNITS[other])) for one in UNITS for other in UNITS if one != other
)
#: Between machines one of the two is psi: more would fit anything.
_FROM_PSI: Final = tuple(change for change in _CHANGES if "psi" in (change.instead_of, change.looks_like))


def among_machines(fleet: Sequence[Series]) -> list[UnitSuspicion]:
    """Pressures of ``fleet`` that are far from all others', and among them once they are converted."""
    return [found for signal in PRESSURES for found in _of_signal(fleet, signal)]


def _of_signal(fleet: Sequence[Series], signal: str) -> Iterator[UnitSuspicion]:
    having = [one for one in fleet if signal in one.signals]
    medians = np.array([_median(one.signal(signal)) for one in having])
    usable = medians > 0
    if usable.sum() < _LEAST_MACHINES:
        return
    found = []
    for index in np.flatnonzero(usable).tolist():
        own = math.log(medians[index])
        others = np.log(medians[usable & (np.arange(len(having)) != index)])
        middle, spread = float(np.median(others)), max(robust_spread(others), _LEAST_LOG_SPREAD)
        if spread > _MOST_LOG_SPREAD or abs(own - middle) < _FAR * spread:
            continue
        best = min(_FROM_PSI, key=lambda change: abs(own - change.log_times - middle))
        if abs(own - best.log_times - middle) <= _NEAR * spread:
            found.append(_suspicion(having[index], signal, best, None, None))
    if len(found) <= _MOST_SHARE * usable.sum():
        yield from found


def _median(values: Floats) -> float:
    there = values[~np.isnan(values)]
    return float(np.median(there)) if len(there) else float("nan")


#: A step counts whose ratio is this near to a factor's, in logarithms; what lies around it must agree as well.
_STEP: Final = 0.25
_AROUND: Final = 0.15
#: What lies around a step: so many readings on either side, and so much time.
_LEAST_READINGS: Final = 60
_LEAST_MS: Final = 3_600_000
_CYCLES: Final = 3.0


def from_a_moment_on(series: Series, cycle_ms: float | None) -> list[UnitSuspicion]:
    """Pressures of one machine that change their unit, and change it back.

    On both sides of such a step, for an hour at least, 60 readings and three of the machine's cycles (``cycle_ms``, three
    hours where it is not known), the low, middle and high values must differ by the same factor.
    """
    around_ms = int(max(_LEAST_MS, _CYCLES * (cycle_ms if cycle_ms is not None else _LEAST_MS)))
    return [found for signal in series.signals if signal in PRESSURES for found in _flips(series, signal, around_ms)]


def _flips(series: Series, signal: str, around_ms: int) -> Iterator[UnitSuspicion]:
    values = series.signal(signal)
    there = values > 0  # NaN is not
    v, t = np.log(values[there]), series.time_ms[there]
    if len(v) < 2 * _LEAST_READINGS:
        return
    begun: tuple[_Change, int] | None = None
    for place, change in _steps(np.diff(v)):
        back = begun is not None and (change.instead_of, change.looks_like) == (
            begun[0].looks_like,
            begun[0].instead_of,
        )
        if begun is not None and not back:
            continue
        if not _differ_by(v, t, place + 1, change.log_times, around_ms):
            continue
        if begun is None:
            begun = (change, int(t[place + 1]))
        else:
            yield _suspicion(series, signal, begun[0], begun[1], int(t[place]))
            begun = None
    if begun is not None:
        yield _suspicion(series, signal, begun[0], begun[1], None)


def _steps(steps: Floats) -> Iterator[tuple[int, _Change]]:
    """Places at which a value's logarithm steps by about that of a change of unit, in order; the nearest change of each."""
    sizes = np.array([change.log_times for change in _CHANGES])
    for place in np.flatnonzero(np.abs(steps) > np.abs(sizes).min() - _STEP).tolist():
        off = np.abs(steps[place] - sizes)
        if off.min() < _STEP:
            yield place, _CHANGES[int(np.argmin(off))]


def _differ_by(v: Floats, t: Ints, place: int, size: float, around_ms: int) -> bool:
    """Whether what lies before ``place`` and from there on differs by ``size`` in its low, middle and high values."""
    start = min(int(np.searchsorted(t, t[place] - around_ms)), max(0, place - _LEAST_READINGS))
    stop = max(int(np.searchsorted(t, t[place] + around_ms)), min(len(v), place + _LEAST_READINGS))
    before, after = v[start:place], v[place:stop]
    if min(len(before), len(after)) < _LEAST_READINGS:
        return False
    shares = (0.1, 0.5, 0.9)
    apart = np.quantile(after, shares) - np.quantile(before, shares) - size
    return bool(np.abs(apart).max() <= _AROUND)


def _suspicion(
    series: Series, signal: str, change: _Change, since_ms: int | None, until_ms: int | None
) -> UnitSuspicion:
    return UnitSuspicion(
        client_id=series.client_id,
        machine_id=series.machine_id,
        signal=signal,
        factor=math.exp(-change.log_times),
        instead_of=change.instead_of,
        looks_like=change.looks_like,
        since=None if since_ms is None else moment(since_ms),
        until=None if until_ms is None else moment(until_ms),
    )
