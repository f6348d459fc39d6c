"""DynamoDB's own form of values, ``{"S": "text"}``, and what they weigh.

Numbers travel as decimal text, so nothing is rounded on the way: ``repr`` of a float has at most 17 digits, DynamoDB
keeps 38. It has no minus zero, NaN or infinity and nothing outside 1E-130 to 1E+126.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

Attribute = dict[str, Any]
Item = dict[str, Attribute]

#: A write costs one unit for each of these that was begun.
UNIT_BYTES: Final = 1024


def text(value: str) -> Attribute:
    """A string."""
    return {"S": value}


def number(value: float) -> Attribute:
    """A number that :func:`fits`."""
    return {"N": repr(value)}


def numbers(values: Sequence[float | None]) -> Attribute:
    """A list of numbers and nulls."""
    return {"L": [{"NULL": True} if value is None else number(value) for value in values]}


def fits(value: float | None) -> bool:
    """Whether DynamoDB gives this number back as it is."""
    if value is None or value == 0:
        return value is None or math.copysign(1.0, value) > 0
    return 1e-129 < abs(value) < 1e125


def size(item: Mapping[str, Attribute]) -> int:
    """Bytes of an item as DynamoDB counts them, or a few more: names and values, numbers by their pairs of digits."""
    return sum(weight(name, value) for name, value in item.items())


def weight(name: str, attribute: Attribute) -> int:
    """Bytes that one attribute adds to an item."""
    return len(name.encode()) + _size(attribute)


def units(size_bytes: int) -> int:
    """Write units that putting an item of this size costs."""
    return -(-size_bytes // UNIT_BYTES)


def _size(attribute: Attribute) -> int:
    ((kind, value),) = attribute.items()
    if kind == "S":
        return len(value.encode())
    if kind == "B":
        return len(value)
    if kind == "N":
        return _digit_bytes(value)
    if kind == "L":
        return 3 + sum(1 + _size(element) for element in value)
    return 1  # NULL


def _digit_bytes(digits: str) -> int:
    """One byte for each pair of digits on either side of the point, one for the rest, one for a minus.

    >>> [_digit_bytes(repr(x)) for x in (7, 120.3, -0.333, 10.0)]
    [2, 4, 4, 2]
    """
    before, _, after = digits.removeprefix("-").partition(".")
    pairs = (len(before) + 1) // 2 * (before != "0") + (len(after) + 1) // 2 * (after != "0")
    return pairs + 1 + digits.startswith("-")
