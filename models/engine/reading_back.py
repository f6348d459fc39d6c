"""State from changelog records, the reverse of :mod:`records`.

A restart has to read all records of all machines before it may judge anything, so at first each is only kept: a later record
of the same key takes an earlier one's place. What a machine's records mean is found out when its first reading comes, for all
machines of a run at once.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.engine.layout import (
    BLOCK,
    CHUNK_PLACES,
    CHUNKS_IN_BLOCK,
    HAS_ALARM,
    HAS_CHUNKS,
    HAS_RECENT,
    HAS_TAGS,
    HEAD,
    RECORD_FRONT,
    Layout,
    blocks_done,
    number_in,
)
from models.engine.records import TAG_COLUMNS, Written
from models.engine.stack_engine import StackEngine
from models.engine.state import CHUNK
from schemas.errors import StateError

#: A machine's records by the part of the key that names them.
Parts = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Needed:
    """The model that a machine read back was judged by."""

    slot: int
    digest: str
    record: bytes | None  # None: it is its fleet's


class StateReader:
    """Reads the records of one stack's machines back."""

    def __init__(self, engine: StackEngine, layout: Layout, written: Written) -> None:
        self._engine, self._layout, self._written = engine, layout, written
        self.unread: dict[int, Parts] = {}  # by slot: records whose meaning nobody has asked for yet

    def records_of(self, slot: int) -> Parts:
        """Where to keep a machine's records, by part; the latest of each."""
        return self.unread.setdefault(slot, {})

    def keep(self, moved: Mapping[int, int]) -> None:
        """Give up all machines but those of ``moved``: new slots by old ones."""
        self.unread = {moved[slot]: parts for slot, parts in self.unread.items() if slot in moved}

    def read_heads(self, asked: Set[int]) -> None:
        """Read the fields of these machines, as soon as all records are kept.

        A machine without a head is a new one whose first commit was cut off: it starts again.
        """
        kept = {slot: self.unread[slot] for slot in asked & self.unread.keys()}
        heads = {slot: parts[HEAD] for slot, parts in kept.items() if HEAD in parts}
        for slot in kept.keys() - heads.keys():
            del self.unread[slot]
        size = self._layout.head.itemsize
        for head in heads.values():
            if len(head) < 2 + size:
                raise StateError(
                    f"state record {HEAD!r} of {len(head)} bytes is damaged: it has no room for its fields"
                )
        fields = np.frombuffer(b"".join([head[2 : 2 + size] for head in heads.values()]), self._layout.head)
        slots = np.array(list(heads), np.int64)
        for name in self._layout.head.names or ():
            getattr(self._engine.state, name)[slots] = fields[name]

    def needed(self, slots: Iterable[int]) -> list[Needed]:
        """The models that unread machines need."""
        return [one for slot in slots if (one := self._needed(slot, self.unread[slot])) is not None]

    def _needed(self, slot: int, parts: Parts) -> Needed | None:
        core = self._engine.state.core[slot]
        if not core["model"]:
            return None
        return Needed(slot, f"{int(core['model']):016x}", parts.get(b"m%d" % core["model_part"]))

    def read_back(self, slots: Iterable[int]) -> list[Needed]:
        """Put back what the unread records of these machines say; the models they need.

        :meth:`StackEngine.rebuild` computes the rest, once these models are known.
        """
        group = {slot: self.unread.pop(slot) for slot in slots}
        try:
            self._put(group)
        except (ValueError, IndexError) as error:
            raise StateError(f"state records of machines in rows {sorted(group)} are damaged: {error}") from error
        return [one for slot, parts in group.items() if (one := self._needed(slot, parts)) is not None]

    def _put(self, group: dict[int, Parts]) -> None:
        blocks: list[tuple[int, bytes]] = []
        chunks: list[tuple[int, bytes]] = []
        heads = {slot: self._split_head(slot, parts[HEAD]) for slot, parts in group.items()}
        for slot, parts in group.items():
            found = self._counted(slot, parts, heads[slot].chunks)
            blocks += [(slot, value) for value in found[0]]
            chunks += [(slot, value) for value in found[1]]
        self._layout.put_blocks([slot for slot, _ in blocks], [value for _, value in blocks])
        self._put_chunks(chunks)
        for slot, head in heads.items():
            self._put_head(slot, head)
            self._put_memory(slot, group[slot])

    def _counted(self, slot: int, parts: Parts, in_head: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        """Blocks and chunks that a machine's head counts; what it does not was written by a commit that was cut off."""
        state = self._engine.state
        readings = int(state.core[slot]["readings"])
        first_in_head = number_in(in_head[0]) if in_head else readings
        done = min(int(blocks_done(readings)), first_in_head // CHUNKS_IN_BLOCK)
        blocks = [
            _numbered(parts, b"b%d" % (number % self._layout.block_places), number)
            for number in range(max(0, readings - state.history) // BLOCK, done)
        ]
        held = range(first_in_head, first_in_head + len(in_head))
        chunks = in_head + [
            _numbered(parts, b"c%d" % (number % CHUNK_PLACES), number)
            for number in range(max(done * CHUNKS_IN_BLOCK, (readings - state.history) // CHUNK), readings // CHUNK)
            if number not in held
        ]
        self._written.grow(slot + 1)
        self._written.chunks[slot], self._written.blocks[slot] = readings // CHUNK, done
        if in_head:
            self._written.in_head[slot] = in_head
        return blocks, chunks

    def _put_chunks(self, chunks: list[tuple[int, bytes]]) -> None:
        left = len(chunks)
        for kind in self._layout.chunks.values():
            some = [(slot, value) for slot, value in chunks if len(value) == 1 + kind.itemsize]
            left -= len(some)
            made = np.frombuffer(b"".join([value[1:] for _, value in some]), kind)
            slots = np.array([slot for slot, _ in some], np.int64)
            self._layout.scatter(made["entries"], slots, made["number"].astype(np.int64) * CHUNK)
        if left:
            raise ValueError(f"{left} chunks of another length")

    def _split_head(self, slot: int, value: bytes) -> "_Head":
        state, holds = self._engine.state, value[1]
        by_tag = bool(holds & HAS_TAGS)
        readings = int(state.core[slot]["readings"])
        at = 2 + self._layout.head.itemsize
        tail = self._layout.tails[by_tag][readings % CHUNK]
        entries = np.frombuffer(value, tail, 1, at) if tail.itemsize else None
        at += tail.itemsize
        columns: dict[str, npt.NDArray[Any]] = {}
        named = [
            (HAS_ALARM, "alarm"),
            *((HAS_TAGS, name) for name in ("pairing", *TAG_COLUMNS)),
            (HAS_RECENT, "recent"),
        ]
        for bit, name in named:
            if holds & bit:
                row = getattr(state, name)[slot : slot + 1]
                columns[name] = np.frombuffer(value, row.dtype, row.size, at).reshape(row.shape)
                at += row.nbytes
        size = self._layout.chunks[by_tag].itemsize
        rest = len(value) - at
        if rest < 0 or rest % size or bool(rest) != bool(holds & HAS_CHUNKS):
            raise ValueError(f"a head with {rest} bytes left over")
        chunks = [RECORD_FRONT + value[start : start + size] for start in range(at, len(value), size)]
        return _Head(entries, columns, chunks)

    def _put_head(self, slot: int, head: "_Head") -> None:
        state = self._engine.state
        if head.tail is not None:
            readings = int(state.core[slot]["readings"])
            self._layout.scatter(head.tail, np.array([slot]), np.array([readings - readings % CHUNK]))
        for name, row in head.columns.items():
            getattr(state, name)[slot : slot + 1] = row

    def _put_memory(self, slot: int, parts: Parts) -> None:
        core = self._engine.state.core[slot]
        if not core["checkpoint"]:
            self._engine.scorer.forget(slot)
            return
        part = b"v%d" % core["view_part"]
        value = parts.get(part)
        if value is None:
            raise ValueError(f"there is no checkpoint {part.decode()} of a machine that has one")
        self._engine.scorer.restore(slot, value[1:])


@dataclass(frozen=True, slots=True)
class _Head:
    """What a head holds besides its fields."""

    tail: npt.NDArray[Any] | None
    columns: dict[str, npt.NDArray[Any]]
    chunks: list[bytes]  # as records


def _numbered(parts: Parts, part: bytes, number: int) -> bytes:
    value = parts.get(part)
    if value is None or number_in(value) != number:
        there = "none" if value is None else f"number {number_in(value)}"
        raise ValueError(f"{part.decode()} should hold number {number} and holds {there}")
    return value
