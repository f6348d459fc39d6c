"""What was said about each offset, in eight bytes."""

import hashlib
from array import array
from collections.abc import Iterator
from enum import Enum
from typing import Final

_BLOCK: Final = 4096


class Before(Enum):
    """What was known of an offset before."""

    NOTHING = "nothing"
    EQUAL = "equal"
    DIFFERENT = "different"


def digest_of(content: bytes) -> int:
    """64 bits of BLAKE2; never 0. Two different contents share it once in 2^64."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") or 1


class Digests:
    """A digest for each of many offsets.

    >>> digests = Digests()
    >>> [digests.put(7, digest_of(content)).value for content in (b"a", b"a", b"b")], list(digests)
    (['nothing', 'equal', 'different'], [7])
    """

    def __init__(self) -> None:
        self._blocks: dict[int, array[int]] = {}

    def put(self, offset: int, digest: int) -> Before:
        """Remember ``digest``, unless one is known already; what was known before."""
        block = self._blocks.get(offset // _BLOCK)
        if block is None:
            block = self._blocks[offset // _BLOCK] = array("Q", bytes(8 * _BLOCK))
        known = block[offset % _BLOCK]
        if known:
            return Before.EQUAL if known == digest else Before.DIFFERENT
        block[offset % _BLOCK] = digest
        return Before.NOTHING

    def get(self, offset: int) -> int:
        """The first digest put for ``offset``, 0 if there is none."""
        block = self._blocks.get(offset // _BLOCK)
        return 0 if block is None else block[offset % _BLOCK]

    def __contains__(self, offset: int) -> bool:
        return self.get(offset) != 0

    def __iter__(self) -> Iterator[int]:
        for number in sorted(self._blocks):
            yield from (number * _BLOCK + at for at, digest in enumerate(self._blocks[number]) if digest)
