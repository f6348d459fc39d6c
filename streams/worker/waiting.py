"""Machines for which something is to be written, the longest waiting first.

What is written of a machine stands for all its readings so far, so each machine waits once, however many readings it has
meanwhile; and written in small parts, nothing holds the next labels up.
"""

from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Slots = npt.NDArray[np.int64]


class _Block(NamedTuple):
    """Machines that began to wait together."""

    since_s: float
    first_offset: int  # no reading that any of them waits for is older
    slots: Slots


class Waiting:
    """Slots of one partition that wait.

    >>> waiting = Waiting()
    >>> waiting.add(np.array([4, 2, 4]), first_offset=70, now_s=0.0)
    >>> waiting.add(np.array([2, 9]), first_offset=73, now_s=0.5)
    >>> len(waiting), waiting.since_s, waiting.first_offset
    (3, 0.0, 70)
    >>> waiting.take(10, until_s=0.2).tolist(), waiting.first_offset
    ([2, 4], 73)
    """

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._waits = np.zeros(0, np.bool_)  # by slot
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def since_s(self) -> float:
        """Since when the first of them waits. There must be one."""
        return self._blocks[0].since_s

    @property
    def first_offset(self) -> int | None:
        """No older reading waits; None if none does."""
        return self._blocks[0].first_offset if self._blocks else None

    def add(self, slots: Slots, first_offset: int, now_s: float) -> None:
        """Let ``slots``, in which one may stand often, wait for readings from ``first_offset`` on."""
        if not len(slots):
            return
        missing = int(slots.max()) + 1 - len(self._waits)
        if missing > 0:
            self._waits = np.concatenate((self._waits, np.zeros(max(missing, 64), np.bool_)))
        new = slots[~self._waits[slots]]
        if not len(new):
            return
        new = np.unique(new)
        self._waits[new] = True
        self._count += len(new)
        self._blocks.append(_Block(now_s, first_offset, new))

    def take(self, most: int, until_s: float) -> Slots:
        """At most ``most`` of those that have waited since ``until_s`` or longer; they no longer wait."""
        taken: list[Slots] = []
        blocks = self._blocks
        while most > 0 and blocks and blocks[0].since_s <= until_s:
            block = blocks.popleft()
            if len(block.slots) > most:
                blocks.appendleft(block._replace(slots=block.slots[most:]))
            taken.append(block.slots[:most])
            most -= len(taken[-1])
        if not taken:
            return np.empty(0, np.int64)
        slots = np.concatenate(taken)
        self._waits[slots] = False
        self._count -= len(slots)
        return slots
