"""All readings of one machine in order of time: what every measure is taken of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.signals import ANY_SIGNAL_LIMIT, PRESSURE_RANGE_PSI, PRESSURES, SENTINELS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: What the two pressures make: liquid standing in the well (models/stacks/load.py).
LOAD: Final = "load"
#: Tags measured within this of each other are one reading, as for the engine.
PAIR_TOLERANCE_MS: Final = 1_000
#: So large a share of rows with one value alone means that readings came by tag.
_BY_TAG_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Series:
    """``n`` readings of one machine, each moment once; ``s`` signals, the load last where both pressures are there."""

    client_id: str
    machine_id: str
    signals: tuple[str, ...]
    time_ms: Ints  # n, rising
    values: Floats  # n x s: psi for pressures; NaN where there is nothing usable
    unusable: Mapping[str, Mapping[str, int]]  # by signal and cause: values that were there and are NaN here
    repeated: int
    out_of_order: int

    def __len__(self) -> int:
        return len(self.time_ms)

    @property
    def name(self) -> str:
        """Client and machine."""
        return f"{self.client_id}/{self.machine_id}"

    def signal(self, name: str) -> Floats:
        """Its values (n)."""
        column: Floats = self.values[:, self.signals.index(name)]
        return column


def make_series(client_id: str, machine_id: str, signals: Sequence[str], time_ms: Ints, values: Floats) -> Series:
    """Readings (at least one) as they came: ``time_ms`` (n) in any order, ``values`` (n x s) in psi, NaN for nothing.

    >>> made = make_series("acme", "well-7", ["casing_pressure"], np.array([60, 0, 60]), np.array([[5.0], [9999.0], [6.0]]))
    >>> made.time_ms.tolist(), made.values.tolist(), made.repeated, made.out_of_order
    ([0, 60], [[nan], [5.0]], 1, 1)
    >>> made.unusable
    {'casing_pressure': {'9999': 1}}
    """
    values = np.array(values, np.float64)
    unusable = {name: _clear(name, values[:, index]) for index, name in enumerate(signals)}
    late = int((time_ms < np.maximum.accumulate(time_ms)).sum())
    order = np.argsort(time_ms, kind="stable") if late else np.arange(len(time_ms))
    time_ms, values = time_ms[order], values[order]
    moments, values, repeated = _each_moment_once(time_ms, values)
    moments, values = _paired(moments, values)
    names = tuple(signals)
    if {"casing_pressure", "tubing_pressure"} <= set(names) and LOAD not in names:
        load = values[:, names.index("casing_pressure")] - values[:, names.index("tubing_pressure")]
        names, values = (*names, LOAD), np.column_stack((values, load))
    return Series(client_id, machine_id, names, moments, values, unusable, repeated, late)


def _clear(name: str, column: Floats) -> dict[str, int]:
    """Make NaN of what is no measurement in ``column``; how often there was what."""
    found: dict[str, int] = {}

    def clear(what: str, where: Bools) -> None:
        count = int(where.sum())
        if count:
            found[what] = count
            column[where] = np.nan

    clear("not_finite", np.isinf(column))
    for sentinel in sorted(SENTINELS):
        clear(f"{sentinel:g}", column == sentinel)
    low, high = PRESSURE_RANGE_PSI if name in PRESSURES else (-ANY_SIGNAL_LIMIT, ANY_SIGNAL_LIMIT)
    clear("out_of_range", (column < low) | (column > high))
    return found


def _each_moment_once(time_ms: Ints, values: Floats) -> tuple[Ints, Floats, int]:
    """Rows of one moment as one: of each signal the value that came first, and how often one came again."""
    first = np.concatenate(([True], np.diff(time_ms) > 0))
    if first.all():
        return time_ms, values, 0
    group = np.cumsum(first) - 1
    return time_ms[first], *_gathered(group, values)


def _gathered(group: Ints, values: Floats) -> tuple[Floats, int]:
    """The first value of each signal in each group of rows; the most values of one signal that were left over."""
    made = np.full((int(group[-1]) + 1, values.shape[1]), np.nan)
    left_over = 0
    for index, column in enumerate(values.T):
        there = np.flatnonzero(~np.isnan(column))[::-1]  # backwards, so that the first is written last
        made[group[there], index] = column[there]
        left_over = max(left_over, len(there) - int((~np.isnan(made[:, index])).sum()))
    return made, left_over


def _paired(time_ms: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Tags measured together as one reading; nothing changes where readings are wide."""
    there = (~np.isnan(values)).sum(axis=1)
    if values.shape[1] < 2 or len(time_ms) < 2 or (there <= 1).mean() < _BY_TAG_SHARE:
        return time_ms, values
    first = np.concatenate(([True], np.diff(time_ms) > PAIR_TOLERANCE_MS))
    made, left_over = _gathered(np.cumsum(first) - 1, values)
    # A signal that is measured more often than that is no partner of anything.
    return (time_ms, values) if left_over else (time_ms[first], made)
