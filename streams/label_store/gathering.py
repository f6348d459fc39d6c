"""Which labels wait for others of their machine, which are due, and which offsets may be committed.

A put costs nearly the same for one label and for a hundred. So the labels of a machine and hour wait until there are
``full`` of them, until that machine's next hour begins, or until the first of them has waited ``linger_s``. The label
topic keeps meanwhile what waits here: an offset may be committed when nothing before it waits.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from streams.label_store.bundle import ROW_WEIGHS, Bundle, Key, array_of_numbers, key_of, numbers_of
from streams.label_store.rows import LabelRow

Source = TypeVar("Source", bound=Hashable)  # a partition of the label topic

#: Labels handed out at once, so that a write takes moments and offsets follow steadily.
MOST_AT_ONCE: Final = 20_000

_Hour = tuple[int, tuple[str, ...]]  # and the signals


@dataclass(slots=True)
class _Of(Generic[Source]):
    """What waits of one source."""

    places: dict[Key, Bundle[Source]] = field(default_factory=dict)
    machines: dict[tuple[str, str, str], dict[_Hour, Bundle[Source]]] = field(default_factory=dict)
    undone: dict[Bundle[Source], None] = field(default_factory=dict)  # in the order of their first offsets
    next_offset: int = 0  # below it everything has been read


class Gathering(Generic[Source]):
    """Labels between their topic and the table. The clock is passed in; a record read a second time changes nothing."""

    def __init__(self, linger_s: float, full: int, most_labels: int) -> None:
        self._linger_s = linger_s
        self._full_at = full
        self._most_labels = most_labels
        self._of: dict[Source, _Of[Source]] = {}
        self._full: deque[Bundle[Source]] = deque()
        self.waiting = 0  # what has not been handed out, in labels; a row counts for several

    @property
    def has_room(self) -> bool:
        """Whether more labels may come."""
        return self.waiting < self._most_labels

    @property
    def since_s(self) -> float | None:
        """Since when the longest waiting label waits, by the clock that is passed in; None if none does."""
        first = (next(iter(of.undone), None) for of in self._of.values())
        return min((bundle.since_s for bundle in first if bundle is not None), default=None)

    def add(self, source: Source, offset: int, row: LabelRow | None, now_s: float) -> None:
        """A record of the label topic, in the order of offsets. ``row`` is the label in it, None if it holds none."""
        of = self._of.get(source)
        if of is None:
            of = self._of[source] = _Of()
        if offset < of.next_offset:
            return
        of.next_offset = offset + 1
        if row is None:
            return
        time_ms = row.time_ms
        key = key_of(row, time_ms)
        bundle = of.places.get(key)
        if bundle is None:
            bundle = self._place(of, key, source, offset, now_s)
        numbers = numbers_of(row, time_ms)
        if numbers is None:
            bundle.rows.append(row)
            self.waiting += ROW_WEIGHS
        else:
            bundle.arrays[key].extend(numbers)
            self.waiting += 1
        bundle.labels += 1
        if bundle.labels >= self._full_at:
            self._close(of, bundle)
            self._full.append(bundle)

    def take(self, now_s: float, everything: bool = False) -> list[Bundle[Source]]:
        """Bundles to be written now, at most about ``MOST_AT_ONCE`` labels; tell :meth:`done` when they are stored.

        Those are the full ones, those that waited long enough, and while there is no room the oldest.
        """
        everything = everything or not self.has_room
        taken: list[Bundle[Source]] = []
        labels = 0
        while self._full and labels < MOST_AT_ONCE:
            labels += self._hand_out(self._full.popleft(), taken)
        for of in self._of.values():
            for bundle in of.undone:
                due = everything or bundle.since_s + self._linger_s <= now_s
                if labels >= MOST_AT_ONCE or not (due or bundle.handed_out):
                    break
                labels += self._hand_out(bundle, taken)
        return taken

    def done(self, bundles: Iterable[Bundle[Source]]) -> None:
        """``bundles`` are in the table."""
        for bundle in bundles:
            if of := self._of.get(bundle.source):
                of.undone.pop(bundle, None)

    def next_offsets(self) -> Mapping[Source, int]:
        """Offset to be committed for each source: of its oldest label that is not stored, or else the next to read."""
        return {
            source: next((bundle.first_offset for bundle in of.undone), of.next_offset)
            for source, of in self._of.items()
        }

    def forget(self) -> None:
        """Drop everything: whoever owns the sources now reads on from what was committed."""
        self._of.clear()
        self._full.clear()
        self.waiting = 0

    def _place(self, of: _Of[Source], key: Key, source: Source, offset: int, now_s: float) -> Bundle[Source]:
        """The bundle for labels of ``key``, begun if there is none."""
        shared, hour, signals = key
        bundles = of.machines.setdefault(shared[:3], {})
        bundle = bundles.get((hour, signals))
        if bundle is None:
            if bundles and hour > max(number for number, _ in bundles):
                for ended in list(bundles.values()):
                    self._close(of, ended)
                    self._full.append(ended)
                bundles = of.machines.setdefault(shared[:3], {})
            bundle = bundles[hour, signals] = Bundle(source, shared[:3], hour, signals, offset, now_s)
            of.undone[bundle] = None
        bundle.arrays[key] = array_of_numbers()
        of.places[key] = bundle
        return bundle

    def _close(self, of: _Of[Source], bundle: Bundle[Source]) -> None:
        """Let no further labels in."""
        bundles = of.machines.get(bundle.machine, {})
        if bundles.get((bundle.hour, bundle.signals)) is not bundle:
            return
        del bundles[bundle.hour, bundle.signals]
        if not bundles:
            del of.machines[bundle.machine]
        for key in bundle.arrays:
            del of.places[key]

    def _hand_out(self, bundle: Bundle[Source], taken: list[Bundle[Source]]) -> int:
        if bundle.handed_out:
            return 0
        bundle.handed_out = True
        self._close(self._of[bundle.source], bundle)
        taken.append(bundle)
        self.waiting -= bundle.weight
        return bundle.labels
