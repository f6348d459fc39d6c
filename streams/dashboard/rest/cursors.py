"""Cursors: where a page ended, as a text that goes into an address. Pure.

They name a place in an order whose keys never change, so rows may change, come and go between two pages: what is there all
the time comes exactly once.
"""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from schemas.errors import RefusedRequest

Key = TypeVar("Key", bound=tuple[Any, ...])


def cursor_of(key: tuple[str | int, ...]) -> str:
    """The cursor behind ``key``.

    >>> key_of(cursor_of(("acme", 7)), (str, int))
    ('acme', 7)
    """
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def key_of(cursor: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """The key of ``cursor``. Raises :class:`RefusedRequest` unless it is one with parts of these kinds."""
    try:
        parts = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        parts = None
    if not isinstance(parts, list) or tuple(type(part) for part in parts) != kinds:
        raise RefusedRequest(
            400,
            "bad-cursor",
            "this is no cursor of these pages: give `next` of the page before as it came, or none to begin",
        )
    return tuple(parts)


def page_after(keys: Sequence[Key], after: Key | None, limit: int) -> tuple[Sequence[Key], Key | None]:
    """Of ``keys`` in order those that follow ``after``, ``limit`` at most; and the last of them if more follow.

    >>> page_after([("a",), ("b",), ("c",)], ("a",), 1)
    ([('b',)], ('b',))
    >>> page_after([("a",), ("b",), ("c",)], ("b",), 1)
    ([('c',)], None)
    """
    begin = 0 if after is None else bisect_right(keys, after)
    page = keys[begin : begin + limit]
    return page, page[-1] if begin + limit < len(keys) and page else None
