"""A run of readings as columns, the form in which the engine takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.engine.codes import ABSENT, GOOD, SPOILT
from schemas.signals import ANY_SIGNAL_LIMIT, PRESSURE_RANGE_PSI, PRESSURES, SENTINELS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

WIDE = -1  # not by tag
OTHER_TAG = -2  # by a tag that no stack asks for

_SENTINELS = np.array(sorted(SENTINELS))


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """``n`` readings of one partition in the order of their offsets; ``v`` signals, those that any stack asks for.

    ``values`` are psi for pressures and NaN wherever ``quality`` is not GOOD.
    """

    slot: Ints  # n: row of the machine in the state
    offset: Ints  # n
    time_ms: Ints  # n: event time
    tag: Ints  # n: index of the signal it brings, WIDE or OTHER_TAG
    values: Floats  # n x v
    quality: Bytes  # n x v: GOOD, ABSENT or SPOILT

    def __len__(self) -> int:
        return len(self.slot)

    def part(self, start: int, stop: int) -> "ReadingBatch":
        """The readings from ``start`` up to ``stop``."""
        pick = slice(start, stop)
        return ReadingBatch(
            self.slot[pick],
            self.offset[pick],
            self.time_ms[pick],
            self.tag[pick],
            self.values[pick],
            self.quality[pick],
        )


def make_batch(
    vocabulary: Sequence[str],
    slot: Sequence[int],
    offset: Sequence[int],
    time_ms: Sequence[int] | Ints,
    tag: Sequence[int],
    values: Sequence[float] | Floats,
    psi_per_unit: Sequence[float],
    bad: Sequence[bool],
) -> ReadingBatch:
    """Columns of readings as they were decoded. ``values`` is reading by reading (n x v, or flat), all other have n entries.

    Here a value is judged by itself: a sentinel, an infinity or a value no gauge can show is SPOILT, NaN is ABSENT.
    """
    n, v = len(slot), len(vocabulary)
    raw = np.array(values, np.float64).reshape(n, v)
    factor = np.array(psi_per_unit, np.float64)
    is_pressure = np.array([name in PRESSURES for name in vocabulary])
    quality = np.full((n, v), GOOD, np.int8)
    with np.errstate(invalid="ignore", over="ignore"):
        made = np.where(is_pressure & (factor != 1.0)[:, None], raw * factor[:, None], raw)
        low, high = PRESSURE_RANGE_PSI
        spoilt = np.where(is_pressure, (made < low) | (made > high), np.abs(made) > ANY_SIGNAL_LIMIT)
        spoilt |= np.isinf(raw)
        if n and raw.size:
            spoilt |= _is_sentinel(raw)
    spoilt |= np.array(bad, bool)[:, None]
    quality[spoilt] = SPOILT
    quality[np.isnan(raw)] = ABSENT
    made[quality != GOOD] = np.nan
    return ReadingBatch(
        np.array(slot, np.int64),
        np.array(offset, np.int64),
        np.array(time_ms, np.int64),
        np.array(tag, np.int64),
        np.ascontiguousarray(made),
        quality,
    )


def _is_sentinel(raw: Floats) -> Any:
    place = np.minimum(np.searchsorted(_SENTINELS, raw), len(_SENTINELS) - 1)
    return _SENTINELS[place] == raw
