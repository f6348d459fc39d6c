"""What a handler asks of a data source, and what it gets. Anything with :meth:`DataSource.load` is a data source."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.engine.batch import OTHER_TAG, WIDE, ReadingBatch, make_batch
from schemas.signals import is_name, standard_name

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Query:
    """Readings of one machine with ``from_ms <= event time <= to_ms`` (epoch ms)."""

    client_id: str
    machine_id: str
    from_ms: int
    to_ms: int
    description: tuple[str, ...]  # the signals wanted, as the data source calls them


@dataclass(frozen=True, slots=True)
class Readings:
    """``n`` readings of one machine in the order in which they are to be judged, with ``v`` signals."""

    signals: tuple[str, ...]  # v: standard names
    offset: Ints  # n, rising: what tells a reading from all others of its machine
    time_ms: Ints  # n: event time
    values: Floats  # n x v in the unit they came in; NaN where there is none
    psi_per_unit: Floats  # n: of pressures
    bad: npt.NDArray[np.bool_]  # n: the sensor's own system says so
    source: str  # the topic, or what stands for it on labels
    partition: int = 0
    tags: Sequence[str | None] | None = None  # n: the signal that each brings; None where it brings all

    def __len__(self) -> int:
        return len(self.time_ms)

    def column(self, signal: str) -> Floats | None:
        """A signal's values (n); None if it did not come at all."""
        return self.values[:, self.signals.index(signal)] if signal in self.signals else None

    def batch(self, vocabulary: Sequence[str], slot: int) -> ReadingBatch:
        """The readings as the engine takes them."""
        n = len(self)
        columns = [self.column(name) for name in vocabulary]
        values = np.column_stack([np.full(n, math.nan) if column is None else column for column in columns])
        places = {name: place for place, name in enumerate(vocabulary)}
        tag = [WIDE] * n
        if self.tags is not None:
            tag = [WIDE if name is None else places.get(name, OTHER_TAG) for name in self.tags]
        return make_batch(
            vocabulary, [slot] * n, self.offset.tolist(), self.time_ms, tag, values, self.psi_per_unit.tolist(),
            self.bad.tolist(),
        )  # fmt: skip


class DataSource(Protocol):
    """Where readings come from."""

    def load(self, query: Query) -> Readings:
        """What there is of the machine, of the signals wanted at least; none if there is nothing.

        Raises :class:`schemas.errors.SourceError` if the source cannot answer.
        """
        ...


def wide_readings(source: str, columns: Mapping[str, Floats], time_ms: Ints, psi_per_unit: float) -> Readings:
    """Readings of a table: ``columns`` by standard name."""
    n = len(time_ms)
    values = np.column_stack(list(columns.values())) if columns else np.empty((n, 0))
    return Readings(
        tuple(columns), offsets_by_time(time_ms), time_ms, values, np.full(n, psi_per_unit), np.zeros(n, bool), source
    )


def offsets_by_time(time_ms: Ints) -> Ints:
    """Offsets for readings that have none: event time, or one more than the one before where that does not rise.

    So a reading keeps its offset, and its label its id, whichever day the look back begins.

    >>> offsets_by_time(np.array([1000, 2000, 2000, 1500, 3000])).tolist()
    [1000, 2000, 2001, 2002, 3000]
    """
    place = np.arange(len(time_ms))
    made: Ints = np.maximum.accumulate(time_ms - place) + place if len(time_ms) else time_ms.astype(np.int64)
    return made


def signal_of(name: str) -> str:
    """The standard name of what a data source calls ``name``; as it is where that can be none."""
    made = standard_name(name)
    return made if is_name(made) else name
