"""State in columns: arrays with a row for each machine, which grow as machines come."""

from typing import Final

import numpy as np
import numpy.typing as npt

#: Rows that there is room for at first.
_FIRST: Final = 64


def room_for(rows: int, have: int) -> int:
    """How many rows to make room for where ``have`` are not enough for ``rows``: a quarter more, for a machine takes 64 kB.

    >>> room_for(65, 64), room_for(5000, 64)
    (80, 5000)
    """
    return max(rows, have * 5 // 4)


def copy_what_is_there(old: np.ndarray, new: np.ndarray) -> None:
    """Copy into zeros all bits that are not zero: what was never written to goes on taking no memory.

    >>> new = np.zeros(3)
    >>> copy_what_is_there(np.array([1.5, -0.0, np.nan]), new)
    >>> new
    array([ 1.5, -0. ,  nan])
    """
    kind = f"u{old.itemsize}" if old.itemsize in (1, 2, 4, 8) else "u1"  # as plain bits, for -0.0 equals zero
    bits = old.view(kind)
    np.copyto(new.view(kind), bits, where=bits != 0)


class Columns:
    """All arrays among its attributes have as many rows as there is room for; of these ``rows`` are in use.

    Room that nobody uses is never written to, and so takes no memory.
    """

    rows: int = 0

    def _make_room(self, room: int) -> None:
        """Make all arrays anew, with ``room`` rows of zeros."""
        raise NotImplementedError

    def _begin(self, rows: slice) -> None:
        """Put into rows of zeros what a new machine starts with."""
        raise NotImplementedError

    def grow(self, rows: int) -> None:
        """Have at least ``rows`` rows."""
        if rows <= self.rows:
            return
        old = self._arrays()
        room = len(next(iter(old.values()))) if old else 0
        if rows > room:
            self._make_room(room_for(max(rows, _FIRST), room))
            for name, column in self._arrays().items():
                if name in old:
                    copy_what_is_there(old.pop(name)[: self.rows], column[: self.rows])
        self._begin(slice(self.rows, rows))
        self.rows = rows

    def keep(self, kept: npt.NDArray[np.int64]) -> None:
        """Give up all rows but ``kept``, which become the first ones in this order."""
        old = self._arrays()
        self._make_room(max(len(kept), _FIRST))
        for name, column in self._arrays().items():
            if name in old:
                copy_what_is_there(old.pop(name)[kept], column[: len(kept)])
        self.rows = len(kept)

    @property
    def row_bytes(self) -> int:
        """Memory of a machine, bytes."""
        return sum(column.nbytes // len(column) for column in self._arrays().values())

    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
