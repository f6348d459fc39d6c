"""A run of readings as columns, the form in which the engine takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from models.engine.values import check_values
from schemas.signals import PRESSURES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

WIDE = -1  # not by tag
OTHER_TAG = -2  # by a tag that no stack asks for


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """``n`` readings, those of a partition in the order of their offsets; ``v`` signals, those that any stack asks for.

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


def join(batches: Sequence[ReadingBatch]) -> ReadingBatch:
    """One batch of several, in this order. There must be one."""
    if len(batches) == 1:
        return batches[0]
    columns = (np.concatenate([getattr(one, name) for one in batches]) for name in ReadingBatch.__slots__)
    return ReadingBatch(*columns)


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
    made = np.array(values, np.float64).reshape(n, v)
    quality = np.empty((n, v), np.int8)
    check_values(made, np.array(psi_per_unit, np.float64), np.array(bad, bool), _pressures(tuple(vocabulary)), quality)
    columns = np.array((slot, offset, time_ms, tag), np.int64)
    return ReadingBatch(columns[0], columns[1], columns[2], columns[3], made, quality)


@cache
def _pressures(vocabulary: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    return np.array([name in PRESSURES for name in vocabulary], bool)
