"""Which of many models or commits is the first that says another."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def first_other(candidates: Sequence[T], is_other: Callable[[T], bool]) -> T | None:
    """The first of ``candidates`` that is other than the first one; None if not even the last one is.

    Between a candidate that is not and a later one that is there must be one where it begins; that one is found by
    halving. ``is_other`` is asked once of each candidate at most, and not of the first.

    >>> first_other([3, 4, 5, 6, 7, 8], lambda number: number >= 6), first_other([3, 4], lambda number: False)
    (6, None)
    """
    if len(candidates) < 2 or not is_other(candidates[-1]):
        return None
    same, other = 0, len(candidates) - 1
    while other - same > 1:
        middle = (same + other) // 2
        if is_other(candidates[middle]):
            other = middle
        else:
            same = middle
    return candidates[other]
