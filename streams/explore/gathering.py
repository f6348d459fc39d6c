"""Readings gathered until all have come, and then handed out machine by machine."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.batches import Floats, Ints, WideBatch
from models.explore.series import Series, make_series

_ALWAYS: Final = (-(2**62), 2**62)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which readings are looked at."""

    client_id: str | None = None  # None: of all
    machine_ids: Collection[str] = ()  # empty: all
    from_ms: int = _ALWAYS[0]  # event time
    to_ms: int = _ALWAYS[1]  # the first that is not wanted

    def machine(self, client_id: str, machine_id: str) -> bool:
        """Whether this one's readings are."""
        return self.client_id in (None, client_id) and (not self.machine_ids or machine_id in self.machine_ids)


class Gathering:
    """Blocks of readings in the order in which they came."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._place: dict[tuple[str, str], int] = {}  # by client and machine
        self._signals: dict[str, int] = {}  # their columns
        self._declared: dict[int, set[str]] = {}  # signals that a machine is said to have, with values or without
        self._blocks: list[tuple[Ints, Ints, tuple[str, ...], Floats]] = []
        self.readings = 0

    def add(self, batch: WideBatch) -> None:
        """Take in what is wanted of ``batch``; its values are psi where they are pressures."""
        place = np.array([self._of(one.client_id, one.machine_id) for one in batch.machines], np.int64)[batch.machine]
        keep = (place >= 0) & (batch.time_ms >= self._wanted.from_ms) & (batch.time_ms < self._wanted.to_ms)
        count = int(keep.sum())
        if not count:
            return
        for machine in batch.machines:
            where = self._place.get((machine.client_id, machine.machine_id))
            if where is not None:
                self._declared.setdefault(where, set()).update(machine.signals)
        for name in batch.signals:
            self._signals.setdefault(name, len(self._signals))
        everything = count == len(batch)
        pick = slice(None) if everything else keep
        self._blocks.append((place[pick], batch.time_ms[pick], batch.signals, batch.values[pick]))
        self.readings += count

    def _of(self, client_id: str, machine_id: str) -> int:
        if not self._wanted.machine(client_id, machine_id):
            return -1
        return self._place.setdefault((client_id, machine_id), len(self._place))

    def series(self) -> Iterator[Series]:
        """Each machine's readings, by client and name; ends the gathering."""
        if not self._blocks:
            return
        blocks, self._blocks = self._blocks, []
        place = np.concatenate([block[0] for block in blocks])
        time_ms = np.concatenate([block[1] for block in blocks])
        order = np.argsort(place, kind="stable")
        ends = np.cumsum(np.bincount(place, minlength=len(self._place)))
        # Column after column, each in its place at once: the whole in two orders at a time would be twice the memory.
        columns = [np.concatenate([_column(block, name) for block in blocks])[order] for name in self._signals]
        time_ms = time_ms[order]
        for (client_id, machine_id), where in sorted(self._place.items()):
            part = slice(int(ends[where - 1]) if where else 0, int(ends[where]))
            if part.start == part.stop:
                continue
            values = np.column_stack([column[part] for column in columns])
            declared = self._declared.get(where, set())
            kept = [
                index
                for index, name in enumerate(self._signals)
                if name in declared or not np.isnan(values[:, index]).all()
            ]
            names = list(self._signals)
            yield make_series(client_id, machine_id, [names[index] for index in kept], time_ms[part], values[:, kept])


def _column(block: tuple[Ints, Ints, tuple[str, ...], Floats], name: str) -> Floats:
    signals, values = block[2], block[3]
    if name in signals:
        column: Floats = values[:, signals.index(name)]
        return column
    return np.full(len(values), np.nan)
