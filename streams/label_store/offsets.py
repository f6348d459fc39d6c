"""Sets of Kafka offsets, one bit each: ten million labels fit into little more than a megabyte."""

from collections.abc import Iterator
from typing import Final

_BLOCK: Final = 1 << 15  # offsets in a block


class OffsetSet:
    """A set of whole numbers from 0 on that mostly follow each other.

    >>> offsets = OffsetSet()
    >>> offsets.add(7), offsets.add(7), 7 in offsets, 8 in offsets, len(offsets)
    (True, False, True, False, 1)
    """

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}

    def add(self, offset: int) -> bool:
        """Put ``offset`` in; whether it was new."""
        block = self._blocks.get(offset // _BLOCK)
        if block is None:
            block = self._blocks[offset // _BLOCK] = bytearray(_BLOCK // 8)
        byte, bit = divmod(offset % _BLOCK, 8)
        if block[byte] >> bit & 1:
            return False
        block[byte] |= 1 << bit
        return True

    def __contains__(self, offset: int) -> bool:
        block = self._blocks.get(offset // _BLOCK)
        byte, bit = divmod(offset % _BLOCK, 8)
        return block is not None and bool(block[byte] >> bit & 1)

    def __len__(self) -> int:
        return sum(int.from_bytes(block, "little").bit_count() for block in self._blocks.values())

    def __iter__(self) -> Iterator[int]:
        for number in sorted(self._blocks):
            for byte, bits in enumerate(self._blocks[number]):
                if bits:
                    yield from (number * _BLOCK + byte * 8 + bit for bit in range(8) if bits >> bit & 1)

    @property
    def end(self) -> int:
        """One more than the largest offset, 0 if there is none."""
        if not self._blocks:
            return 0
        last = max(self._blocks)
        return last * _BLOCK + int.from_bytes(self._blocks[last], "little").bit_length()

    def update(self, other: "OffsetSet") -> None:
        """Put all of ``other`` in."""
        for number, theirs in other._blocks.items():
            ours = self._blocks.get(number, bytes(_BLOCK // 8))
            both = int.from_bytes(ours, "little") | int.from_bytes(theirs, "little")
            self._blocks[number] = bytearray(both.to_bytes(_BLOCK // 8, "little"))


class LabelIds:
    """A set of label ids, one bit for each that has the usual form.

    >>> ids = LabelIds()
    >>> ids.add("load-3-17-0"), ids.add("load-3-17-0"), ids.add("made by hand"), len(ids)
    (True, False, True, 2)
    """

    def __init__(self) -> None:
        self._offsets: dict[tuple[str, str], OffsetSet] = {}
        self._others: set[str] = set()

    def add(self, label_id: str) -> bool:
        """Put ``label_id`` in; whether it was new."""
        front, _, revision = label_id.rpartition("-")
        source, _, offset = front.rpartition("-")
        if offset.isdecimal() and offset.isascii() and (offset == "0" or offset[0] != "0"):
            offsets = self._offsets.get((source, revision))
            if offsets is None:
                offsets = self._offsets[source, revision] = OffsetSet()
            return offsets.add(int(offset))
        new = label_id not in self._others
        self._others.add(label_id)
        return new

    def __len__(self) -> int:
        return len(self._others) + sum(map(len, self._offsets.values()))

    def update(self, other: "LabelIds") -> None:
        """Put all of ``other`` in."""
        self._others |= other._others
        for source, offsets in other._offsets.items():
            self._offsets.setdefault(source, OffsetSet()).update(offsets)
