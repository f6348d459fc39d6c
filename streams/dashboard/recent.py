"""The newest labels of all machines, in memory: DynamoDB has them only minutes later. Pure.

One ring of columns for all. An object for each label would take ten times the memory, and a list for each machine would have
to be cut all the time.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.dashboard.machines import Key
from streams.dashboard.seen import LabelSeen
from streams.label_store.tracks import DRAWN, Track, join, nothing, state_code

#: Further signals of a stack are not kept, nor drawn.
MOST_SIGNALS: Final = 4
_PADDING: Final = (None,) * MOST_SIGNALS


@dataclass(frozen=True, slots=True)
class Place:
    """Whose a label is, when its reading was measured (epoch ms), and where it lies on the labels topic."""

    key: Key
    time_ms: int
    at_offset: int


class Recent:
    """The last ``most`` labels, some 75 bytes each. Memory is taken as they come.

    ``end`` counts all that ever came; whoever has seen what came up to there asks for what came since.
    """

    def __init__(self, most: int) -> None:
        self.end = 0
        self._most = most
        self._numbers_of: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._signals: list[tuple[str, ...]] = []  # of the machine and stack of that number
        self._whose = np.empty(most, np.int32)
        self._times_ms, self._at_offsets, self._offsets = (np.empty(most, np.int64) for _ in range(3))
        self._partitions, self._revisions = (np.empty(most, np.int32) for _ in range(2))
        self._states = np.empty(most, np.int8)
        self._floats = np.empty((most, len(DRAWN) + MOST_SIGNALS), np.float32)

    def take_labels(self, labels: list[tuple[LabelSeen, int]]) -> None:
        """A listener of :class:`streams.dashboard.following.Following`."""
        self.end += max(0, len(labels) - self._most)  # a ring smaller than what comes at once keeps the last of it
        labels = labels[-self._most :]
        if not labels:
            return
        whole = np.array([self._whole_of(label) for label, _ in labels], np.int64).T
        floats = np.array([_floats_of(label) for label, _ in labels], np.float32)
        begin = self.end % self._most
        first = min(len(labels), self._most - begin)
        for to, there in (
            (slice(begin, begin + first), slice(first)),
            (slice(len(labels) - first), slice(first, None)),
        ):
            for column, values in zip(self._columns(), whole, strict=True):
                column[to] = values[there]
            self._floats[to] = floats[there]
        self.end += len(labels)

    def track(self, key: Key, from_ms: int, to_ms: int) -> Track:
        """Labels of a machine and stack with ``from_ms <= event time < to_ms``: each reading once."""
        number = self._numbers_of.get(key)
        if number is None:
            return nothing()
        filled = min(self.end, self._most)
        slots = np.flatnonzero(self._whose[:filled] == number)
        times_ms = self._times_ms[slots]
        return self._track(number, slots[(from_ms <= times_ms) & (times_ms < to_ms)])

    def since(self, key: Key, end: int) -> Track | None:
        """Those that came since ``end``; None where some of them are not there any more."""
        number = self._numbers_of.get(key)
        if number is None:
            return nothing()
        if self.end - end > self._most:
            return None
        slots = np.arange(end, self.end) % self._most
        return self._track(number, slots[self._whose[slots] == number])

    def find(self, stack: str, partition: int, offset: int, revision: int) -> Place | None:
        """Whose label that is, where it is still here."""
        filled = min(self.end, self._most)
        for slot in np.flatnonzero(self._offsets[:filled] == offset)[::-1].tolist():
            key = self._keys[self._whose[slot]]
            if (key[2], self._partitions[slot], self._revisions[slot]) == (stack, partition, revision):
                return Place(key, int(self._times_ms[slot]), int(self._at_offsets[slot]))
        return None

    def _track(self, number: int, slots: npt.NDArray[Any]) -> Track:
        signals = self._signals[number]
        floats = self._floats[slots].astype(np.float64)
        found = Track(
            signals,
            self._times_ms[slots],
            self._partitions[slots].astype(np.int64),
            self._offsets[slots],
            self._revisions[slots].astype(np.int64),
            self._states[slots].astype(np.int64),
            floats[:, : len(DRAWN)],
            floats[:, len(DRAWN) : len(DRAWN) + len(signals)],
        )
        return join([found])

    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        """In the order of :meth:`_whole_of`."""
        return (
            self._whose, self._times_ms, self._at_offsets, self._offsets, self._partitions, self._revisions, self._states,
        )  # fmt: skip

    def _whole_of(self, label: LabelSeen) -> tuple[int, ...]:
        key = (label.client_id, label.machine_id, label.stack)
        number = self._numbers_of.get(key)
        if number is None:
            number = self._numbers_of[key] = len(self._keys)
            self._keys.append(key)
            self._signals.append(tuple(label.signals)[:MOST_SIGNALS])
        state = state_code(label.label, label.reason)
        return (
            number, label.time_ms, label.at_offset, label.source_offset, label.source_partition, label.revision, state,
        )  # fmt: skip


def _floats_of(label: LabelSeen) -> tuple[float | None, ...]:
    signals = (*label.signals.values(), *_PADDING)[:MOST_SIGNALS]
    return (label.value, label.median, label.expected_low, label.expected_high, label.surprise, *signals)
