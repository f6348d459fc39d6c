"""Columns: one field of many labels, small and exact.

A number is kept as a whole number of tenths, hundredths, ... and as its difference from the one before it: neighbours
of one machine are close together, so most take one or two bytes. A column where some number does not come back to the
last bit that way (too many digits, minus zero) is kept as it is, eight bytes each.

>>> column_of([151.5, None, 151.7])
(1, [1515, None, 2])
>>> numbers_of((1, [1515, None, 2]))
[151.5, None, 151.7]
"""

import math
from collections.abc import Sequence
from typing import Any, Final

_AS_IS: Final = -1
_MOST_DECIMALS: Final = 6  # the engine's labels carry no more
_EXACT_BELOW: Final = 2.0**53

Column = tuple[int, list[Any]]


def column_of(numbers: Sequence[float | None]) -> Column:
    """Numbers, finite or None, as (decimals, differences), or (-1, numbers)."""
    present = [number for number in numbers if number is not None]
    for decimals in range(_MOST_DECIMALS + 1):
        scaled = _scaled(present, 10**decimals)
        if scaled is not None:
            whole = iter(scaled)
            return decimals, differences([None if number is None else next(whole) for number in numbers])
    return _AS_IS, list(numbers)


def numbers_of(column: Column) -> list[float | None]:
    """The numbers of ``column``, to the last bit."""
    decimals, kept = column
    if decimals == _AS_IS:
        return kept
    scale = 10**decimals
    return [None if whole is None else whole / scale for whole in sums(kept)]


def differences(whole: Sequence[int | None]) -> list[int | None]:
    """Each number less the one before it that is not None; the first one as it is."""
    out: list[int | None] = []
    last = 0
    for number in whole:
        out.append(None if number is None else number - last)
        last = last if number is None else number
    return out


def sums(kept: Sequence[int | None]) -> list[int | None]:
    """What :func:`differences` was made from."""
    out: list[int | None] = []
    total = 0
    for step in kept:
        total += step or 0
        out.append(None if step is None else total)
    return out


def _scaled(numbers: Sequence[float], scale: int) -> list[int] | None:
    """``numbers`` times ``scale`` if each of them comes back from that exactly."""
    out: list[int] = []
    for number in numbers:
        product = number * scale
        if not -_EXACT_BELOW < product < _EXACT_BELOW:
            return None
        whole = round(product)
        if whole / scale != number or (whole == 0 and math.copysign(1.0, number) < 0):
            return None
        out.append(whole)
    return out
