"""State as records of a changelog, and back, to the last bit.

A machine has, for each stack, one record of its head and as many of full chunks as its ring holds; a commit writes the head
and the chunks filled since the last one, never the whole history. Every record starts with its layout's version.
"""

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.engine.codes import OPEN
from models.engine.quality import QUALITY
from models.engine.stack_engine import StackEngine
from models.engine.state import ALARM, CHUNK, CORE, PAIRING
from schemas.errors import StateError
from schemas.training import ModelUpdate

VERSION: Final = 2
SEPARATOR: Final = b"\x1f"  # cannot occur in a client's or machine's name

HEAD: Final = b"h"


def record_key(client_id: str, machine_id: str, stack: str, part: bytes) -> bytes:
    """Key of one record. Parts: ``h`` head, ``c<n>`` chunk, ``m0``, ``m1`` models and ``v0``, ``v1`` checkpoints in turn."""
    return SEPARATOR.join((client_id.encode(), machine_id.encode(), stack.encode(), part))


def split_key(key: bytes) -> tuple[str, str, str, bytes]:
    """The reverse of :func:`record_key`; :class:`StateError` if it is none."""
    parts = key.split(SEPARATOR)
    if len(parts) != 4:
        raise StateError(f"changelog key {key!r} has {len(parts)} parts instead of 4; is this wellsentry's changelog?")
    return parts[0].decode(), parts[1].decode(), parts[2].decode(), parts[3]


class Records:
    """Writes and reads the records of one stack's state."""

    def __init__(self, engine: StackEngine) -> None:
        self._engine = engine
        self._saved: dict[int, int] = {}  # readings of a machine whose full chunks are written

    def head(self, slot: int) -> bytes:
        """The head: core, reference, the chunk being filled, and what is only there at times (alarm, pairing)."""
        state = self._engine.state
        core = state.core[slot]
        readings = int(core["readings"])
        start = readings - readings % CHUNK
        first, last = start % state.history, start % state.history + readings % CHUNK
        parts = [
            bytes((VERSION,)),
            core.tobytes(),
            state.reference[slot].tobytes(),
            state.spread[slot].tobytes(),
            state.quality[slot].tobytes(),
            self._entries(slot, first, last),
        ]
        if core["alert"] == OPEN:
            parts.append(state.alarm[slot].tobytes())
        if core["by_tag"]:
            parts += [
                state.pairing[slot].tobytes(),
                state.tag_value[slot].tobytes(),
                state.tag_ms[slot].tobytes(),
                state.tag_offset[slot].tobytes(),
                state.tag_quality[slot].tobytes(),
            ]
        return b"".join(parts)

    def full_chunks(self, slot: int) -> list[tuple[bytes, bytes]]:
        """Part and bytes of the chunks filled since the last call."""
        state = self._engine.state
        filled = int(state.core[slot]["readings"]) // CHUNK
        since = max(self._saved.get(slot, 0), filled - state.history // CHUNK)
        self._saved[slot] = filled
        chunks = []
        for number in range(since, filled):
            place = number % (state.history // CHUNK)
            entries = self._entries(slot, place * CHUNK, place * CHUNK + CHUNK)
            chunks.append((b"c%d" % place, bytes((VERSION,)) + entries))
        return chunks

    def checkpoint(self, slot: int) -> list[tuple[bytes, bytes]]:
        """Part and bytes of the detector's memory, if it is time to write it. It goes before the head, which names it."""
        made = self._engine.scorer.checkpoint(slot)
        return [] if made is None else [(made[0], bytes((VERSION,)) + made[1])]

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
                place = int(part[1:])
                self._put_entries(slot, place * CHUNK, CHUNK, value, 1)
        except (ValueError, IndexError) as error:
            raise StateError(f"state record {part!r} of {len(value)} bytes is damaged: {error}") from error

    def _restore_head(self, slot: int, value: bytes) -> None:
        state = self._engine.state
        at = 1
        core = np.frombuffer(value, CORE, 1, at)[0]
        state.core[slot] = core
        at += CORE.itemsize
        for column in (state.reference, state.spread):
            column[slot] = np.frombuffer(value, np.float64, state.features, at)
            at += 8 * state.features
        state.quality[slot] = np.frombuffer(value, QUALITY, state.signals, at)
        at += QUALITY.itemsize * state.signals
        readings = int(core["readings"])
        start = readings - readings % CHUNK
        at = self._put_entries(slot, start % state.history, readings % CHUNK, value, at)
        if core["alert"] == OPEN:
            state.alarm[slot] = np.frombuffer(value, ALARM, 1, at)[0]
            at += ALARM.itemsize
        if core["by_tag"]:
            state.pairing[slot] = np.frombuffer(value, PAIRING, 1, at)[0]
            at += PAIRING.itemsize
            for column in (state.tag_value, state.tag_ms, state.tag_offset, state.tag_quality):
                column[slot] = np.frombuffer(value, column.dtype, state.signals, at)
                at += column.itemsize * state.signals
        if at != len(value):
            raise ValueError(f"{len(value) - at} bytes left over")
        self._saved[slot] = readings // CHUNK

    def _entries(self, slot: int, first: int, last: int) -> bytes:
        state = self._engine.state
        return b"".join(
            (
                state.ring_ms[slot, first:last].tobytes(),
                state.ring_signal[slot, first:last].tobytes(),
                state.ring_alert[slot, first:last].tobytes(),
                state.ring_view[slot, first:last].tobytes(),
            )
        )

    def _put_entries(self, slot: int, first: int, count: int, value: bytes, at: int) -> int:
        state = self._engine.state
        last = first + count
        state.ring_ms[slot, first:last] = np.frombuffer(value, np.int64, count, at)
        at += 8 * count
        signals = np.frombuffer(value, np.float64, count * state.signals, at)
        state.ring_signal[slot, first:last] = signals.reshape(count, state.signals)
        at += 8 * count * state.signals
        state.ring_alert[slot, first:last] = np.frombuffer(value, np.int8, count, at)
        at += count
        views = np.frombuffer(value, np.uint8, count * state.features, at)
        state.ring_view[slot, first:last] = views.reshape(count, state.features)
        return at + count * state.features


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
