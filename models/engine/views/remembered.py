"""A long history: a ring of numbers and the same numbers in order of size, in one row that both fill from its middle.

The ring goes backwards from there and the order forwards, and a row begins in the middle of a page of memory: a history that
is half full takes one page, where two rows that begin at their ends take two.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.engine.compiled import compiled
from models.engine.views.nearest import insert, replace

#: Numbers in a long history.
LONG: Final = 1024

Floats = npt.NDArray[np.float32]


def no_histories(room: int, features: int) -> Floats:
    """Room for histories that remember nothing yet: room x features x 2 LONG.

    >>> no_histories(3, 2).shape, no_histories(1, 1).any()
    ((3, 2, 2048), np.False_)
    """
    made = np.zeros(room * features * 2 * LONG + LONG // 2, np.float32)
    return made[LONG // 2 :].reshape(room, features, 2 * LONG)


def ring(rows: Floats) -> Floats:
    """The rings of rows (the last axis), the number that went in first at place 0.

    >>> row = no_histories(1, 1)[0, 0]
    >>> for length, number in enumerate((5.0, 3.0, 4.0)):
    ...     remember(row, length, np.float32(number))
    >>> ring(row)[:3], ordered(row)[:3]
    (array([5., 3., 4.], dtype=float32), array([3., 4., 5.], dtype=float32))
    """
    return rows[..., LONG - 1 :: -1]


def bring_in_order(row: Floats, held: int) -> None:
    """Make the order anew from a ring that holds so many numbers."""
    row[LONG : LONG + held] = np.sort(ring(row)[:held])


@compiled
def ordered(row: Any) -> Any:
    """A row's numbers in order of size, as many as it remembers."""
    return row[LONG:]


@compiled
def remember(row: Any, length: int, number: Any) -> None:
    """Put ``number`` in, after ``length`` others; of LONG the oldest is forgotten for it."""
    place = LONG - 1 - length % LONG
    if length >= LONG:
        replace(row[LONG:], LONG, row[place], number)
    else:
        insert(row[LONG:], length, number)
    row[place] = number
