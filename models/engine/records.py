"""State as records of a changelog, and back, to the last bit.

A machine has, for each stack, one record of its head and as many of full chunks as its ring holds; a commit writes the head
and the chunks filled since the last one, never the whole history. Every record starts with its layout's version.
"""

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.engine.bulk import as_rows, cut, entries
from models.engine.codes import OPEN
from models.engine.stack_engine import StackEngine
from models.engine.state import CHUNK, CORE, LATENESS, UNMOVED
from schemas.errors import StateError
from schemas.training import ModelUpdate

VERSION: Final = 3
SEPARATOR: Final = b"\x1f"  # cannot occur in a client's or machine's name

HEAD: Final = b"h"

_RING_COLUMNS: Final = ("ring_ms", "ring_signal", "ring_verdict", "ring_view")
_TAG_COLUMNS: Final = ("tag_value", "tag_ms", "tag_offset", "tag_quality")


def _recent_columns(by_tag: bool) -> tuple[str, ...]:
    return ("offset", "partner") if by_tag else ("offset",)


def record_key(client_id: str, machine_id: str, stack: str, part: bytes) -> bytes:
    """Key of one record. Parts: ``h`` head, ``c<n>`` chunk, ``m0``, ``m1`` models and ``v0``, ``v1`` checkpoints in turn."""
    return SEPARATOR.join((client_id.encode(), machine_id.encode(), stack.encode(), part))


def split_key(key: bytes) -> tuple[str, str, str, bytes]:
    """The reverse of :func:`record_key`; :class:`StateError` if it is none."""
    parts = key.split(SEPARATOR)
    if len(parts) != 4:
        raise StateError(f"changelog key {key!r} has {len(parts)} parts instead of 4; is this wellsentry's changelog?")
    return parts[0].decode(), parts[1].decode(), parts[2].decode(), parts[3]


Ints = npt.NDArray[np.int64]
#: Slot, part of the key, and value of a record.
Part = tuple[int, bytes, bytes]

# What a head holds besides what all heads hold.
_ALARM: Final = 1  # an alert is open
_TAGS: Final = 2  # the machine sends by tag
_RECENT: Final = 4  # of the newest readings some belong to an alert, or have a label that was or will be issued again
_CHUNKS: Final = 8  # full chunks, in place of those in the changelog


class Records:
    """Writes and reads the records of one stack's state.

    A chunk is written once, when it is full, and before the head that counts it: one that no head counts is not read back.
    Only a late reading moves what is in a chunk: then the moved chunks go into the head, where they change together with
    all else, and the next commit writes them as chunks. So do the chunks of more readings than may be overwritten at once.
    """

    def __init__(self, engine: StackEngine) -> None:
        self._engine = engine
        self._saved = np.zeros(0, np.int64)  # by slot: how many of a machine's full chunks are in the changelog
        self._in_head: dict[int, list[bytes]] = {}  # of these the last ones, where they are in the head instead
        self._ahead: dict[int, list[bytes]] = {}  # chunks read back that no head has counted yet

    def take(self, slots: Ints) -> tuple[list[Part], list[Part]]:
        """What has to be written of these machines: first chunks and checkpoints, then heads."""
        self._grow(int(slots.max(initial=-1)) + 1)
        ordinary = self._ordinary(slots)
        usual, special = slots[ordinary], slots[~ordinary].tolist()
        parts = self._usual_chunks(usual)
        for slot in special:
            parts += [(slot, part, value) for part, value in self._full_chunks(slot)]
        for slot in self._engine.scorer.due_checkpoints(slots).tolist():
            part, value = self._engine.scorer.checkpoint(slot)
            parts.append((slot, part, bytes((VERSION,)) + value))
        return parts, self._usual_heads(usual) + [(slot, HEAD, self._head(slot)) for slot in special]

    def start_over(self) -> None:
        """Forget what is written: the next :meth:`take` gives everything."""
        self._saved[:] = 0

    # -- machines with nothing special about them, all at once

    def _ordinary(self, slots: Ints) -> npt.NDArray[np.bool_]:
        state = self._engine.state
        core = state.core[slots]
        new = core["readings"] // CHUNK - self._saved[slots]
        found = (state.moved_from[slots] == UNMOVED) & (core["alert"] != OPEN) & (core["by_tag"] == 0)
        found &= ~_is_noted(state.recent[slots]) & (new * CHUNK <= state.overwritten)
        if self._in_head:
            found &= ~np.isin(slots, list(self._in_head))
        ordinary: npt.NDArray[np.bool_] = found
        return ordinary

    def _usual_chunks(self, slots: Ints) -> list[Part]:
        state = self._engine.state
        filled, saved = state.core["readings"][slots].astype(np.int64) // CHUNK, self._saved[slots]
        self._saved[slots] = filled
        new = filled - saved
        of = np.repeat(slots, new)
        if not len(of):
            return []
        numbers = np.repeat(saved, new) + np.arange(len(of)) - np.repeat(np.cumsum(new) - new, new)
        rows = [as_rows(numbers.astype("<u4")), *entries(state, _RING_COLUMNS, of, numbers * CHUNK, CHUNK)]
        places = (numbers % (state.history // CHUNK)).tolist()
        values = cut(bytes((VERSION,)), rows)
        return [(slot, b"c%d" % place, value) for slot, place, value in zip(of.tolist(), places, values, strict=True)]

    def _usual_heads(self, slots: Ints) -> list[Part]:
        state, made = self._engine.state, []
        readings = state.core["readings"][slots].astype(np.int64)
        for count in range(CHUNK):
            some = slots[readings % CHUNK == count]
            rows = [as_rows(getattr(state, name)[some]) for name in ("core", "reference", "spread", "quality")]
            if count:
                rows += entries(state, _RING_COLUMNS, some, readings[readings % CHUNK == count] - count, count)
            values = cut(bytes((VERSION, 0)), rows) if len(some) else []
            made += [(slot, HEAD, value) for slot, value in zip(some.tolist(), values, strict=True)]
        return made

    # -- the others one by one

    def _head(self, slot: int) -> bytes:
        """The head, once chunks and checkpoint have been taken."""
        state = self._engine.state
        state.moved_from[slot] = UNMOVED
        core = state.core[slot]
        readings = int(core["readings"])
        start = readings - readings % CHUNK
        holds = self._holds(slot)
        parts = [
            bytes((VERSION, holds)),
            core.tobytes(),
            state.reference[slot].tobytes(),
            state.spread[slot].tobytes(),
            state.quality[slot].tobytes(),
            self._entries(slot, start, readings),
        ]
        if holds & _ALARM:
            parts.append(state.alarm[slot].tobytes())
        if holds & _TAGS:
            parts.append(state.pairing[slot].tobytes())
            parts += [getattr(state, name)[slot].tobytes() for name in _TAG_COLUMNS]
        if holds & _RECENT:
            parts.append(state.recent[slot].tobytes())
        if holds & _CHUNKS:
            parts += [len(self._in_head[slot]).to_bytes(2, "little"), *self._in_head[slot]]
        return b"".join(parts)

    def _holds(self, slot: int) -> int:
        state = self._engine.state
        core = state.core[slot]
        return (
            _ALARM * (int(core["alert"]) == OPEN)
            + _TAGS * bool(core["by_tag"])
            + _RECENT * bool(_is_noted(state.recent[slot]))
            + _CHUNKS * (slot in self._in_head)
        )

    def _full_chunks(self, slot: int) -> list[tuple[bytes, bytes]]:
        """Part and bytes of the chunks filled since the last call, and of those that were in the head since then."""
        state = self._engine.state
        filled = int(state.core[slot]["readings"]) // CHUNK
        saved = int(self._saved[slot])
        kept = max(0, filled - state.history // CHUNK)
        moved_from = int(state.moved_from[slot]) // CHUNK
        waited = [chunk for chunk in self._in_head.pop(slot, ()) if kept <= _number(chunk) < moved_from]
        first_new = max(saved, kept)
        in_head = range(max(moved_from, kept), saved) if moved_from < saved else range(0)
        if (filled - first_new) * CHUNK > state.overwritten:
            in_head, first_new = range(in_head.start if in_head else first_new, filled), filled
        if in_head:
            self._in_head[slot] = [self._chunk(slot, number) for number in in_head]
        self._saved[slot] = filled
        new = [self._chunk(slot, number) for number in range(first_new, filled)]
        return [(b"c%d" % self._place(chunk), bytes((VERSION,)) + chunk) for chunk in waited + new]

    def _chunk(self, slot: int, number: int) -> bytes:
        return number.to_bytes(4, "little") + self._entries(slot, number * CHUNK, number * CHUNK + CHUNK)

    def _place(self, chunk: bytes) -> int:
        return _number(chunk) % (self._engine.state.history // CHUNK)

    def _grow(self, rows: int) -> None:
        if rows > len(self._saved):
            self._saved = np.concatenate((self._saved, np.zeros(max(rows, 64), np.int64)))

    def restore(self, slot: int, part: bytes, value: bytes) -> None:
        """Put one record back, in the order in which they were written; :meth:`StackEngine.rebuild` comes when all are in."""
        if not value or value[0] != VERSION:
            raise StateError(
                f"state record {part!r} has layout {value[:1].hex() or 'none'}, this version reads {VERSION}; "
                "run the version that wrote it, or start with another topic prefix"
            )
        try:
            if part == HEAD:
                self._restore_head(slot, value)
            elif part.startswith(b"v"):
                self._engine.scorer.restore(slot, part, value[1:])
            else:
                self._ahead.setdefault(slot, []).append(value[1:])
                self._put_counted(slot)
        except (ValueError, IndexError) as error:
            raise StateError(f"state record {part!r} of {len(value)} bytes is damaged: {error}") from error

    def _restore_head(self, slot: int, value: bytes) -> None:
        state = self._engine.state
        holds, at = value[1], 2
        core = np.frombuffer(value, CORE, 1, at)[0]
        state.core[slot] = core
        at += CORE.itemsize
        for name in ("reference", "spread", "quality"):
            at = self._put(name, slot, value, at)
        readings, by_tag = int(core["readings"]), bool(holds & _TAGS)
        self._grow(slot + 1)
        self._saved[slot] = readings // CHUNK
        self._put_counted(slot)
        at = self._put_entries(slot, readings - readings % CHUNK, readings, value, at, by_tag=by_tag)
        if holds & _ALARM:
            at = self._put("alarm", slot, value, at)
        if by_tag:
            for name in ("pairing", *_TAG_COLUMNS):
                at = self._put(name, slot, value, at)
        for name in ("revision", "opened", "changed"):
            state.recent[name][slot] = 0
        if holds & _RECENT:
            at = self._put("recent", slot, value, at)
        self._in_head.pop(slot, None)
        if holds & _CHUNKS:
            count, size = int.from_bytes(value[at : at + 2], "little"), self._chunk_bytes(by_tag=by_tag)
            at += 2
            self._in_head[slot] = [value[at + n * size : at + n * size + size] for n in range(count)]
            for chunk in self._in_head[slot]:
                self._put_chunk(slot, chunk)
            at += count * size
        if at != len(value):
            raise ValueError(f"{len(value) - at} bytes left over")

    def _put_counted(self, slot: int) -> None:
        """Put the chunks back that the head counts; those beyond it were written by a commit that was not finished."""
        counted = int(self._saved[slot]) if slot < len(self._saved) else 0
        ahead = self._ahead.pop(slot, [])
        for chunk in sorted(ahead, key=_number):
            if _number(chunk) < counted:
                self._put_chunk(slot, chunk)
        if waiting := [chunk for chunk in ahead if _number(chunk) >= counted]:
            self._ahead[slot] = waiting

    def _put_chunk(self, slot: int, chunk: bytes) -> None:
        by_tag = len(chunk) == self._chunk_bytes(by_tag=True)
        first = _number(chunk) * CHUNK
        if self._put_entries(slot, first, first + CHUNK, chunk, 4, by_tag=by_tag) != len(chunk):
            raise ValueError("a chunk of another length")

    def _put(self, name: str, slot: int, value: bytes, at: int) -> int:
        """Read one column of a machine back; where the next thing stands."""
        row = getattr(self._engine.state, name)[slot : slot + 1]
        row[:] = np.frombuffer(value, row.dtype, row.size, at).reshape(row.shape)
        return at + int(row.nbytes)

    def _entries(self, slot: int, first: int, stop: int) -> bytes:
        """Readings number ``first`` up to ``stop``, at most what the ring holds."""
        state = self._engine.state
        ring, recent = np.arange(first, stop) % state.history, np.arange(first, stop) % LATENESS
        columns = [getattr(state, name)[slot, ring] for name in _RING_COLUMNS]
        columns += [state.recent[name][slot, recent] for name in _recent_columns(bool(state.core[slot]["by_tag"]))]
        return b"".join([column.tobytes() for column in columns])

    def _put_entries(self, slot: int, first: int, stop: int, value: bytes, at: int, *, by_tag: bool) -> int:
        """The reverse of :meth:`_entries`; where the next thing stands."""
        state, count = self._engine.state, stop - first
        ring, recent = np.arange(first, stop) % state.history, np.arange(first, stop) % LATENESS
        for name in _RING_COLUMNS:
            column = getattr(state, name)
            shape = (count, *column.shape[2:])
            size = int(np.prod(shape))
            column[slot, ring] = np.frombuffer(value, column.dtype, size, at).reshape(shape)
            at += size * column.itemsize
        for name in _recent_columns(by_tag):
            column = state.recent[name]
            column[slot, recent] = np.frombuffer(value, column.dtype, count, at)
            at += count * column.itemsize
        return at

    def _chunk_bytes(self, *, by_tag: bool) -> int:
        state = self._engine.state
        columns = [getattr(state, name)[0, :CHUNK] for name in _RING_COLUMNS]
        columns += [state.recent[name][0, :CHUNK] for name in _recent_columns(by_tag)]
        return 4 + sum(int(column.nbytes) for column in columns)


def _is_noted(recent: npt.NDArray[Any]) -> Any:
    """Whether the newest readings of each machine (n x LATENESS) have anything noted that their chunks do not hold."""
    return (recent["revision"] | recent["opened"] | recent["changed"]).any(axis=-1)


def _number(chunk: bytes) -> int:
    """A chunk's number: how many there were before it."""
    return int.from_bytes(chunk[:4], "little")


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model, and the first offset it is in force for."""

    since_offset: int
    update: ModelUpdate


def pack_model(update: ModelUpdate, since_offset: int) -> bytes:
    """A model as a changelog record."""
    body = since_offset.to_bytes(8, "little", signed=True) + update.model_dump_json().encode()
    return bytes((VERSION,)) + zlib.compress(body, 1)


def unpack_model(value: bytes) -> ModelRecord:
    """The reverse of :func:`pack_model`."""
    if not value or value[0] != VERSION:
        raise StateError(f"model record has layout {value[:1].hex() or 'none'}, this version reads {VERSION}")
    try:
        body = zlib.decompress(value[1:])
        return ModelRecord(int.from_bytes(body[:8], "little", signed=True), ModelUpdate.model_validate_json(body[8:]))
    except (zlib.error, ValueError) as error:
        raise StateError(f"model record of {len(value)} bytes is damaged: {error}") from error
