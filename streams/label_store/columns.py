"""Columns: one field of many labels, small and exact.

A number is kept as a whole number of tenths, hundredths, ... and as its difference from the one before it: neighbours
of one machine are close together, so most take one or two bytes. A column where some number does not come back to the
last bit that way (too many digits, minus zero) is kept as it is, eight bytes each.

>>> column_of([151.5, None, 151.7])
(1, [1515, None, 2])
>>> numbers_of((1, [1515, None, 2]))
[151.5, None, 151.7]
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

_AS_IS: Final = -1
_MOST_DECIMALS: Final = 6  # the engine's labels carry no more
_EXACT_BELOW: Final = 2.0**53

Column = tuple[int, list[Any]]


def column_of(numbers: Sequence[float | None] | np.ndarray) -> Column:
    """Numbers, finite or None (in an array: NaN), as (decimals, differences), or (-1, numbers)."""
    given = np.asarray(numbers, dtype=np.float64)
    there = ~np.isnan(given)
    present = given if there.all() else given[there]
    for decimals in range(_decimals_of_first(present), _MOST_DECIMALS + 1):
        whole = _scaled(present, 10**decimals)
        if whole is not None:
            whole[1:] -= whole[:-1].copy()
            return decimals, _spread(whole.tolist(), there, present is given)
    return _AS_IS, _spread(present.tolist(), there, present is given)


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


def _decimals_of_first(present: np.ndarray) -> int:
    """So many the first number needs, and with it all: a look at one number costs less than one at all of them."""
    if not len(present):
        return 0
    first = float(present[0])
    for decimals in range(_MOST_DECIMALS):
        if _comes_back(first, 10**decimals):
            return decimals
    return _MOST_DECIMALS


def _comes_back(number: float, scale: int) -> bool:
    product = number * scale
    return abs(number) < _EXACT_BELOW / scale and round(product) / scale == number


def _scaled(numbers: np.ndarray, scale: int) -> np.ndarray | None:
    """``numbers`` times ``scale`` if each of them comes back from that exactly."""
    limit = _EXACT_BELOW / scale
    if len(numbers) and not (-limit < numbers.min() and numbers.max() < limit):
        return None
    whole: np.ndarray = np.rint(numbers * scale)
    if not (whole / scale == numbers).all():
        return None
    if not whole.all() and np.signbit(numbers[whole == 0]).any():
        return None
    whole_numbers: np.ndarray = whole.astype(np.int64)
    return whole_numbers


def _spread(values: list[Any], there: np.ndarray, all_there: bool) -> list[Any]:
    """``values`` at the places that are ``there``, None elsewhere."""
    if all_there:
        return values
    out: list[Any] = [None] * len(there)
    for place, value in zip(np.flatnonzero(there).tolist(), values, strict=True):
        out[place] = value
    return out
