"""How a machine's state is laid out in changelog records; what it means, and when each is written, is in :mod:`records`.

    h        head: all fields, and the readings since the last full chunk
    c<n>     chunk of 4 readings, in one of 48 places in turn
    b<n>     block of 64 readings, packed, in one place more than two beyond what the ring holds
    v0, v1   what the views remember, packed, in turn
    m0, m1   models, in turn; a fleet's under the machine *

Every record starts with the layout's version. Numbers count a machine's chunks and blocks from its first reading on.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.engine.packing import pack, unpack
from models.engine.quality import QUALITY
from models.engine.state import CHUNK, CORE, LATENESS, StackState
from schemas.errors import StateError

VERSION: Final = 5
#: What every record starts with.
RECORD_FRONT: Final = bytes((VERSION,))
SEPARATOR: Final = b"\x1f"  # cannot occur in a client's or machine's name
HEAD: Final = b"h"

#: Readings in a block. One is written once no late reading can move what is in it any more.
BLOCK: Final = 64
CHUNKS_IN_BLOCK: Final = BLOCK // CHUNK
#: Chunks that no block holds are at most 32; with 16 more a commit never overwrites one that the last head needs.
CHUNK_PLACES: Final = 3 * CHUNKS_IN_BLOCK
#: A commit writes at most so many new chunks of a machine as records of their own; more travel in its head.
MOST_NEW_CHUNKS: Final = CHUNKS_IN_BLOCK

# What a head holds besides what all heads hold.
HAS_ALARM: Final = 1  # an alert is open
HAS_TAGS: Final = 2  # the machine sends by tag
HAS_RECENT: Final = (
    4  # of the newest readings some belong to an alert, or have a label that was or will be issued again
)
HAS_CHUNKS: Final = 8  # full chunks, in place of those in the changelog

Ints = npt.NDArray[np.int64]
Records = npt.NDArray[Any]


def record_key(client_id: str, machine_id: str, stack: str, part: bytes) -> bytes:
    """Key of one record."""
    return SEPARATOR.join((client_id.encode(), machine_id.encode(), stack.encode(), part))


def split_key(key: bytes) -> tuple[str, str, str, bytes]:
    """The reverse of :func:`record_key`; :class:`StateError` if it is none."""
    parts = key.split(SEPARATOR)
    if len(parts) != 4:
        raise StateError(f"changelog key {key!r} has {len(parts)} parts instead of 4; is this wellsentry's changelog?")
    return parts[0].decode(), parts[1].decode(), parts[2].decode(), parts[3]


def check_version(what: str, value: bytes) -> None:
    """Raise :class:`StateError` if a record is of another layout than this version's."""
    if not value or value[0] != VERSION:
        raise StateError(
            f"{what} has layout {value[:1].hex() or 'none'}, this version reads {VERSION:02x}; "
            "run the version that wrote it, or start with another topic prefix"
        )


def core_in(head: bytes) -> Any:
    """The plain fields (:data:`CORE`) with which a machine's head begins."""
    return np.frombuffer(head, CORE, 1, 2)[0]


def blocks_done(readings: Any) -> Any:
    """How many blocks no late reading can reach any more, after so many readings (a number or an array of them)."""
    return np.maximum(0, readings // BLOCK - 1)


class Layout:
    """The records of one stack's machines as dtypes; between them and the columns of its state."""

    def __init__(self, state: StackState) -> None:
        self._state = state
        s, k = state.signals, state.features
        ring = [("ring_ms", "<i8"), ("ring_signal", "<f8", (s,)), ("ring_verdict", "u1"), ("ring_view", "u1", (k,))]
        self._ring = ring
        self.head = np.dtype(
            [("core", CORE), ("reference", "<f8", (k,)), ("spread", "<f8", (k,)), ("quality", QUALITY, (s,))]
        )
        self.block = self.entries(BLOCK, ring)
        self.block_places = state.history // BLOCK + 2
        self.chunks = {by_tag: self._chunk(by_tag=by_tag) for by_tag in (False, True)}
        self.tails = {
            by_tag: [self.entries(n, self._columns(by_tag=by_tag)) for n in range(CHUNK)] for by_tag in (False, True)
        }

    def _columns(self, *, by_tag: bool) -> list[Any]:
        return [*self._ring, ("offset", "<u4"), *([("partner", "<u4")] if by_tag else [])]

    def _chunk(self, *, by_tag: bool) -> np.dtype[Any]:
        return np.dtype([("number", "<u4"), ("entries", self.entries(CHUNK, self._columns(by_tag=by_tag)))])

    @staticmethod
    def entries(count: int, columns: list[Any]) -> np.dtype[Any]:
        """``count`` readings, column by column."""
        return np.dtype([(name, kind, (count, *shape[0]) if shape else (count,)) for name, kind, *shape in columns])

    def gather(self, kind: np.dtype[Any], slots: Ints, first: Ints) -> Records:
        """Readings of each machine from number ``first`` on, as many as ``kind`` holds. Shape: as ``slots``."""
        made = np.empty(len(slots), kind)
        at, ring, recent = self._where(kind, slots, first)
        for name in kind.names or ():
            source = getattr(self._state, name, None)
            made[name] = source[at, ring] if source is not None else self._state.recent[name][at, recent]
        return made

    def scatter(self, entries: Records, slots: Ints, first: Ints) -> None:
        """The reverse of :meth:`gather`."""
        at, ring, recent = self._where(entries.dtype, slots, first)
        for name in entries.dtype.names or ():
            target = getattr(self._state, name, None)
            if target is not None:
                target[at, ring] = entries[name]
            else:
                self._state.recent[name][at, recent] = entries[name]

    def _where(self, kind: np.dtype[Any], slots: Ints, first: Ints) -> tuple[Ints, Ints, Ints]:
        count = kind["ring_ms"].shape[0]
        numbers = first[:, None] + np.arange(count)
        return slots[:, None], numbers % self._state.history, numbers % LATENESS

    def pack_blocks(self, slots: Ints, numbers: Ints) -> list[bytes]:
        """Blocks as records. Times are written as steps, which are mostly the same and so take little room."""
        entries = self.gather(self.block, slots, numbers * BLOCK)
        entries["ring_ms"][:, 1:] = np.diff(entries["ring_ms"], axis=1)
        fronts = [bytes((VERSION,)) + number.to_bytes(4, "little") for number in numbers.tolist()]
        return [front + pack(one.tobytes()) for front, one in zip(fronts, entries, strict=True)]

    def put_blocks(self, slots: list[int], values: list[bytes]) -> None:
        """Put blocks back that are the newest of their places."""
        if not values:
            return
        entries = np.frombuffer(b"".join([unpack(value[5:]) for value in values]), self.block).copy()
        entries["ring_ms"] = np.cumsum(entries["ring_ms"], axis=1)
        numbers = np.array([number_in(value) for value in values], np.int64)
        self.scatter(entries, np.array(slots, np.int64), numbers * BLOCK)


def number_in(value: bytes) -> int:
    """The number of a block or chunk, from its record."""
    return int.from_bytes(value[1:5], "little")


def cut(front: bytes, records: Records) -> list[bytes]:
    """Each record's bytes behind ``front``."""
    size, data = records.dtype.itemsize, records.tobytes()
    return [front + data[at : at + size] for at in range(0, len(data), size)]
