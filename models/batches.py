"""Wide readings as columns: the form in which files and the simulator hand them to the feed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and the signals it measures."""

    client_id: str
    machine_id: str
    signals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WideReadingRow:
    """One reading. ``values`` by signal, in the unit the device sends; NaN where it gave none."""

    client_id: str
    machine_id: str
    time_ms: int
    arrival_ms: int
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class WideBatch:
    """``n`` wide readings in the order in which they arrive.

    ``time_ms`` is when the device says it measured, ``arrival_ms`` when the reading reached the historian: later than
    the time after a gap, and never falling from one reading to the next.
    """

    machines: tuple[Machine, ...]
    signals: tuple[str, ...]  # v: names of the columns of ``values``
    machine: Ints  # n: index into ``machines``
    time_ms: Ints  # n
    arrival_ms: Ints  # n
    values: Floats  # n x v; NaN where there is no value, or the machine has no such signal

    def __len__(self) -> int:
        return len(self.machine)

    def part(self, start: int, stop: int) -> "WideBatch":
        """The readings from ``start`` up to ``stop``."""
        pick = slice(start, stop)
        return WideBatch(
            self.machines,
            self.signals,
            self.machine[pick],
            self.time_ms[pick],
            self.arrival_ms[pick],
            self.values[pick],
        )

    def rows(self) -> Iterator[WideReadingRow]:
        """The readings one by one, each with the signals of its machine only."""
        column = {name: index for index, name in enumerate(self.signals)}
        columns = zip(
            self.machine.tolist(), self.time_ms.tolist(), self.arrival_ms.tolist(), self.values.tolist(), strict=True
        )
        for index, time_ms, arrival_ms, values in columns:
            machine = self.machines[index]
            by_signal = {name: values[column[name]] for name in machine.signals}
            yield WideReadingRow(machine.client_id, machine.machine_id, time_ms, arrival_ms, by_signal)


def join(batches: Sequence[WideBatch]) -> WideBatch:
    """All readings of ``batches`` by arrival; those that arrive together keep the order of ``batches``."""
    signals = tuple(dict.fromkeys(name for batch in batches for name in batch.signals))
    column = {name: index for index, name in enumerate(signals)}
    machines = tuple(dict.fromkeys(machine for batch in batches for machine in batch.machines))
    place = {machine: index for index, machine in enumerate(machines)}
    values = np.full((sum(map(len, batches)), len(signals)), np.nan)
    indices = []
    start = 0
    for batch in batches:
        stop = start + len(batch)
        values[start:stop, [column[name] for name in batch.signals]] = batch.values
        indices.append(np.array([place[machine] for machine in batch.machines], np.int64)[batch.machine])
        start = stop
    arrival_ms = np.concatenate([batch.arrival_ms for batch in batches])
    order = np.argsort(arrival_ms, kind="stable")
    return WideBatch(
        machines,
        signals,
        np.concatenate(indices)[order],
        np.concatenate([batch.time_ms for batch in batches])[order],
        arrival_ms[order],
        values[order],
    )
