"""State as records of a changelog (:mod:`layout` says how they look); :mod:`reading_back` brings it back, to the last bit.

A commit writes the head of each touched machine and what became full since the last commit, never the whole history.
Whatever part of a commit is durable when the process dies, the last whole head finds all that it needs: chunks and blocks
come before the head that counts them, those that no head counts are not read back, and none is written over one that the
last head needs. A late reading moves what is in chunks that are written already: such chunks travel in the head, where
they change together with all else, and the next commit writes them as chunks again. So do the chunks of more readings
than there are places for.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.engine.codes import OPEN
from models.engine.layout import (
    CHUNK_PLACES,
    CHUNKS_IN_BLOCK,
    HAS_ALARM,
    HAS_CHUNKS,
    HAS_RECENT,
    HAS_TAGS,
    HEAD,
    MOST_NEW_CHUNKS,
    RECORD_FRONT,
    VERSION,
    Ints,
    Layout,
    blocks_done,
    cut,
    number_in,
)
from models.engine.stack_engine import StackEngine
from models.engine.state import CHUNK, UNMOVED

#: Slot, part of the key, and value of a record.
Part = tuple[int, bytes, bytes]

TAG_COLUMNS = ("tag_value", "tag_ms", "tag_offset", "tag_quality")


class Written:
    """What the changelog holds of each machine (by slot), as of its last head."""

    def __init__(self) -> None:
        self.chunks = np.zeros(0, np.int64)  # full chunks, in whatever form
        self.blocks = np.zeros(0, np.int64)  # of these, blocks that are records
        self.in_head: dict[int, list[bytes]] = {}  # chunks in the head, as the records they will be; the last ones

    def grow(self, rows: int) -> None:
        """Make room for at least ``rows`` machines."""
        if rows > len(self.chunks):
            further = np.zeros(max(rows, 64), np.int64)
            self.chunks, self.blocks = np.concatenate((self.chunks, further)), np.concatenate((self.blocks, further))

    def keep(self, kept: Ints) -> None:
        """Give up all machines but those in the slots ``kept``, in this order."""
        self.grow(int(kept.max(initial=-1)) + 1)
        self.chunks, self.blocks = self.chunks[kept], self.blocks[kept]
        self.in_head = {new: self.in_head[old] for new, old in enumerate(kept.tolist()) if old in self.in_head}


class RecordWriter:
    """Writes the records of one stack's state."""

    def __init__(self, engine: StackEngine, layout: Layout, written: Written) -> None:
        self._engine, self._layout, self._written = engine, layout, written

    def take(self, slots: Ints) -> tuple[list[Part], list[Part]]:
        """What has to be written of these machines: first chunks, blocks and checkpoints, then heads."""
        self._written.grow(int(slots.max(initial=-1)) + 1)
        ordinary = self._ordinary(slots)
        usual, special = slots[ordinary], slots[~ordinary].tolist()
        parts = self._usual_parts(usual) if len(usual) else []
        for slot in special:
            parts += self._special_parts(slot)
        for slot in self._engine.scorer.due_checkpoints(slots).tolist():
            part, value = self._engine.scorer.checkpoint(slot)
            parts.append((slot, part, RECORD_FRONT + value))
        heads = self._usual_heads(usual) if len(usual) else []
        return parts, heads + [(slot, HEAD, self._special_head(slot)) for slot in special]

    def start_over(self) -> None:
        """Forget what is written: the next :meth:`take` gives everything."""
        self._written.chunks[:] = self._written.blocks[:] = 0

    # -- machines with nothing special about them, which are nearly all, at once

    def _ordinary(self, slots: Ints) -> npt.NDArray[np.bool_]:
        state, written = self._engine.state, self._written
        core = state.core[slots]
        new = core["readings"] // CHUNK - written.chunks[slots]
        found = (state.moved_from[slots] == UNMOVED) & (core["alert"] != OPEN) & (core["by_tag"] == 0)
        found &= ~_is_noted(state.recent[slots]) & (new <= MOST_NEW_CHUNKS)
        if written.in_head:
            found &= ~np.isin(slots, list(written.in_head))
        ordinary: npt.NDArray[np.bool_] = found
        return ordinary

    def _usual_parts(self, slots: Ints) -> list[Part]:
        readings, written = self._engine.state.core["readings"][slots].astype(np.int64), self._written
        chunks, blocks = readings // CHUNK, blocks_done(readings)
        parts = self._chunk_parts(*_each(slots, written.chunks[slots], chunks), by_tag=False)
        parts += self._block_parts(*_each(slots, written.blocks[slots], blocks))
        written.chunks[slots], written.blocks[slots] = chunks, blocks
        return parts

    def _chunk_parts(self, slots: Ints, numbers: Ints, *, by_tag: bool) -> list[Part]:
        values = self._chunk_values(slots, numbers, by_tag=by_tag)
        places = (numbers % CHUNK_PLACES).tolist()
        return [(s, b"c%d" % place, value) for s, place, value in zip(slots.tolist(), places, values, strict=True)]

    def _chunk_values(self, slots: Ints, numbers: Ints, *, by_tag: bool) -> list[bytes]:
        made = np.empty(len(slots), self._layout.chunks[by_tag])
        made["number"] = numbers
        made["entries"] = self._layout.gather(made.dtype["entries"], slots, numbers * CHUNK)
        return cut(RECORD_FRONT, made)

    def _block_parts(self, slots: Ints, numbers: Ints) -> list[Part]:
        if not len(slots):
            return []
        places = (numbers % self._layout.block_places).tolist()
        values = self._layout.pack_blocks(slots, numbers)
        return [(s, b"b%d" % place, value) for s, place, value in zip(slots.tolist(), places, values, strict=True)]

    def _usual_heads(self, slots: Ints) -> list[Part]:
        made: list[Part] = []
        readings = self._engine.state.core["readings"][slots].astype(np.int64)
        for count, kind in enumerate(self._layout.tails[False]):
            some = slots[readings % CHUNK == count]
            heads = np.empty(len(some), [("fields", self._layout.head), ("tail", kind)])
            heads["fields"] = self._fields(some)
            heads["tail"] = self._layout.gather(kind, some, readings[readings % CHUNK == count] - count)
            made += [
                (slot, HEAD, value) for slot, value in zip(some.tolist(), cut(RECORD_FRONT + b"\0", heads), strict=True)
            ]
        return made

    def _fields(self, slots: Ints) -> npt.NDArray[Any]:
        made = np.empty(len(slots), self._layout.head)
        for name in self._layout.head.names or ():
            made[name] = getattr(self._engine.state, name)[slots]
        return made

    # -- the others one by one

    def _special_parts(self, slot: int) -> list[Part]:
        state, written = self._engine.state, self._written
        one, by_tag = np.array([slot]), bool(state.core[slot]["by_tag"])
        readings, counted = int(state.core[slot]["readings"]), int(written.chunks[slot])
        filled, moved = readings // CHUNK, int(state.moved_from[slot]) // CHUNK
        kept = max(0, filled - state.history // CHUNK)
        too_many = filled - counted > MOST_NEW_CHUNKS
        blocks = int(blocks_done(counted * CHUNK if too_many else readings))
        in_blocks = blocks * CHUNKS_IN_BLOCK
        if too_many:
            new, in_head = range(0), range(max(in_blocks, kept), filled)
        else:
            new, in_head = range(counted, filled), range(max(moved, kept, in_blocks), counted)
        waited = [one for one in written.in_head.pop(slot, ()) if in_blocks <= number_in(one) < in_head.start]
        if in_head:
            written.in_head[slot] = self._chunk_values(one.repeat(len(in_head)), np.array(in_head), by_tag=by_tag)
        to_pack = np.arange(max(int(written.blocks[slot]), kept // CHUNKS_IN_BLOCK), blocks)
        written.chunks[slot], written.blocks[slot] = filled, max(int(written.blocks[slot]), blocks)
        return [
            *((slot, b"c%d" % (number_in(chunk) % CHUNK_PLACES), chunk) for chunk in waited),
            *self._chunk_parts(one.repeat(len(new)), np.array(new, np.int64), by_tag=by_tag),
            *self._block_parts(one.repeat(len(to_pack)), to_pack),
        ]

    def _special_head(self, slot: int) -> bytes:
        """The head, once chunks, blocks and checkpoint have been taken."""
        state = self._engine.state
        state.moved_from[slot] = UNMOVED
        core, one = state.core[slot], np.array([slot])
        readings, by_tag = int(core["readings"]), bool(core["by_tag"])
        in_head = self._written.in_head.get(slot, ())
        holds = (
            HAS_ALARM * (int(core["alert"]) == OPEN)
            + HAS_TAGS * by_tag
            + HAS_RECENT * bool(_is_noted(state.recent[slot]))
            + HAS_CHUNKS * bool(in_head)
        )
        tail = self._layout.tails[by_tag][readings % CHUNK]
        parts = [
            bytes((VERSION, holds)),
            self._fields(one).tobytes(),
            self._layout.gather(tail, one, np.array([readings - readings % CHUNK])).tobytes(),
        ]
        if holds & HAS_ALARM:
            parts.append(state.alarm[slot].tobytes())
        if holds & HAS_TAGS:
            parts += [getattr(state, name)[slot].tobytes() for name in ("pairing", *TAG_COLUMNS)]
        if holds & HAS_RECENT:
            parts.append(state.recent[slot].tobytes())
        return b"".join((*parts, *(chunk[1:] for chunk in in_head)))


def _each(slots: Ints, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Each number from ``start`` up to ``stop`` of each machine, and whose it is."""
    new = np.maximum(stop - start, 0)
    of = np.repeat(slots, new)
    return of, np.repeat(start, new) + np.arange(len(of)) - np.repeat(np.cumsum(new) - new, new)


def _is_noted(recent: npt.NDArray[Any]) -> Any:
    """Whether the newest readings of each machine (n x LATENESS) have anything noted that their chunks do not hold."""
    return (recent["revision"] | recent["opened"] | recent["changed"]).any(axis=-1)
