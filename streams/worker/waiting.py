"""Machines for which something is to be written, the longest waiting first.

What is written of a machine stands for all its readings so far, so each machine waits once, however many readings it has
meanwhile; and written in small parts, nothing holds the next labels up.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Slots = Sequence[int]


class _Block(NamedTuple):
    """Machines that began to wait together."""

    since_s: float
    first_offset: int  # no reading that any of them waits for is older
    slots: Slots


class Waiting:
    """Slots of one partition that wait.

    >>> waiting = Waiting()
    >>> waiting.add([4, 2, 4], first_offset=70, now_s=0.0)
    >>> waiting.add([2, 9], first_offset=73, now_s=0.5)
    >>> len(waiting), waiting.since_s, waiting.first_offset
    (3, 0.0, 70)
    >>> waiting.take(10, until_s=0.2), waiting.first_offset
    ([4, 2], 73)
    """

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._waits: set[int] = set()

    def __len__(self) -> int:
        return len(self._waits)

    @property
    def since_s(self) -> float:
        """Since when the first of them waits. There must be one."""
        return self._blocks[0].since_s

    @property
    def first_offset(self) -> int | None:
        """No older reading waits; None if none does."""
        return self._blocks[0].first_offset if self._blocks else None

    def add(self, slots: Iterable[int], first_offset: int, now_s: float) -> None:
        """Let ``slots``, in which one may stand often, wait for readings from ``first_offset`` on."""
        new = [slot for slot in dict.fromkeys(slots) if slot not in self._waits]
        if new:
            self._waits.update(new)
            self._blocks.append(_Block(now_s, first_offset, new))

    def take(self, most: int, until_s: float) -> Slots:
        """At most ``most`` of those that have waited since ``until_s`` or longer; they no longer wait."""
        taken: list[int] = []
        blocks = self._blocks
        while len(taken) < most and blocks and blocks[0].since_s <= until_s:
            block, room = blocks.popleft(), most - len(taken)
            if len(block.slots) > room:
                blocks.appendleft(block._replace(slots=block.slots[room:]))
            taken += block.slots[:room]
        self._waits.difference_update(taken)
        return taken
