"""Machines that have fallen silent, by the worker's own clock.

Nothing is noted when a reading comes. Whoever looks compares each machine's last offset with what it was at the look before:
what a reading changed has been heard since.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from models.engine.machines import Machine, Machines


class Silence:
    """Since when each machine is silent, as far as one has looked: at first, all are heard."""

    def __init__(self, machines: Machines, clock_s: Callable[[], float], silent_after_s: float) -> None:
        self._machines, self._clock_s, self._after_s = machines, clock_s, silent_after_s
        self._stack = next(iter(machines.stacks.values()))  # every reading is part of the state of every stack
        self._names: list[Machine] = []  # whose rows these are
        self._heard_s: npt.NDArray[np.float64] = np.empty(0)
        self._offsets: npt.NDArray[np.int64] = np.empty(0, np.int64)

    def silent(self) -> int:
        """How many machines have sent nothing for longer than a machine may. Ask every few seconds."""
        now_s, names, state = self._clock_s(), self._machines.names, self._stack.state
        offsets = state.core["last_offset"][: min(len(names), state.rows)].copy()
        if names is not self._names:  # partitions went: rows have moved
            self._move(names, len(offsets), now_s)
        new = len(offsets) - len(self._offsets)
        if new:
            self._heard_s = np.append(self._heard_s, np.full(new, now_s))
            self._offsets = np.append(self._offsets, offsets[-new:])
        self._heard_s[offsets != self._offsets] = now_s
        self._offsets = offsets
        return int(np.count_nonzero(now_s - self._heard_s > self._after_s))

    def _move(self, names: list[Machine], rows: int, now_s: float) -> None:
        known = dict(zip(self._names, zip(self._heard_s, self._offsets, strict=True), strict=False))
        found = [known.get(one, (now_s, -1)) for one in names[:rows]]
        self._names = names
        self._heard_s = np.array([heard_s for heard_s, _ in found], np.float64)
        self._offsets = np.array([offset for _, offset in found], np.int64)
