"""Which labels wait for the rest of their minute, which are due, and which offsets may be committed.

A put costs the same for one label and for sixty. So the labels of a machine's minute wait until that machine's next
minute begins, or until the first of them has waited ``linger_s``. An offset may be committed when nothing before it
waits.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from streams.label_store.packing import MINUTE_MS
from streams.label_store.rows import LabelRow

Source = TypeVar("Source", bound=Hashable)  # a partition of the label topic

#: Labels handed out at once, so that a write takes moments and offsets follow steadily.
MOST_AT_ONCE: Final = 10_000


@dataclass(eq=False, slots=True)
class Minute(Generic[Source]):
    """Labels of one machine, stack and minute of event time that go into one item."""

    source: Source
    number: int  # minutes since 1970
    first_offset: int  # on the label topic
    since_s: float  # when the first of them came
    machine: tuple[str, str, str]  # client, machine, stack
    labels: list[bytes] = field(default_factory=list)  # as they came: a third of what they weigh decoded
    handed_out: bool = False


class Gathering(Generic[Source]):
    """Labels between their topic and the table. The clock is passed in; a record read a second time changes nothing."""

    def __init__(self, linger_s: float, most_labels: int) -> None:
        self._linger_s = linger_s
        self._most_labels = most_labels
        self._open: dict[tuple[Source, tuple[str, str, str]], dict[int, Minute[Source]]] = {}
        self._full: deque[Minute[Source]] = deque()
        self._undone: dict[Source, dict[Minute[Source], None]] = {}  # in the order of their first offsets
        self._next_offset: dict[Source, int] = {}  # below it everything has been read
        self.waiting = 0  # labels not yet handed out

    @property
    def has_room(self) -> bool:
        """Whether more labels may come."""
        return self.waiting < self._most_labels

    def add(self, source: Source, offset: int, value: bytes | None, row: LabelRow | None, now_s: float) -> None:
        """A record of the label topic, in the order of offsets. ``row`` is the label in it, None if it holds none."""
        if offset < self._next_offset.get(source, 0):
            return
        self._next_offset[source] = offset + 1
        if value is None or row is None:
            return
        machine = (row.client_id, row.machine_id, row.stack)
        minutes = self._open.setdefault((source, machine), {})
        number = row.time_ms // MINUTE_MS
        minute = minutes.get(number)
        if minute is None:
            if minutes and number > max(minutes):
                self._full.extend(minutes.values())
                minutes.clear()
            minute = minutes[number] = Minute(source, number, offset, now_s, machine)
            self._undone.setdefault(source, {})[minute] = None
        minute.labels.append(value)
        self.waiting += 1

    def take(self, now_s: float, everything: bool = False) -> list[Minute[Source]]:
        """Minutes to be written now, at most about ``MOST_AT_ONCE`` labels; tell :meth:`done` when they are stored.

        Those are the full ones, those that waited long enough, and while there is no room the oldest.
        """
        everything = everything or not self.has_room
        taken: list[Minute[Source]] = []
        labels = 0
        while self._full and labels < MOST_AT_ONCE:
            labels += self._hand_out(self._full.popleft(), taken)
        for minutes in self._undone.values():
            for minute in minutes:
                due = everything or minute.since_s + self._linger_s <= now_s
                if labels >= MOST_AT_ONCE or not (due or minute.handed_out):
                    break
                labels += self._hand_out(minute, taken)
        return taken

    def done(self, minutes: Iterable[Minute[Source]]) -> None:
        """``minutes`` are in the table."""
        for minute in minutes:
            self._undone.get(minute.source, {}).pop(minute, None)

    def next_offsets(self) -> Mapping[Source, int]:
        """Offset to be committed for each source: of its oldest label that is not stored, or else the next to read."""
        return {
            source: next((minute.first_offset for minute in self._undone.get(source, ())), read)
            for source, read in self._next_offset.items()
        }

    def forget(self) -> None:
        """Drop everything: whoever owns the sources now reads on from what was committed."""
        self._open.clear()
        self._full.clear()
        self._undone.clear()
        self._next_offset.clear()
        self.waiting = 0

    def _hand_out(self, minute: Minute[Source], taken: list[Minute[Source]]) -> int:
        if minute.handed_out:
            return 0
        minute.handed_out = True
        machine = (minute.source, minute.machine)
        minutes = self._open.get(machine, {})
        if minutes.get(minute.number) is minute:
            del minutes[minute.number]
            if not minutes:
                del self._open[machine]
        taken.append(minute)
        self.waiting -= len(minute.labels)
        return len(minute.labels)
