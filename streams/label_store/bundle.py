"""A bundle: labels of one machine, stack and hour of event time that will be one item, and wait for more.

Labels wait by the hundred thousand, so they are kept as what packing needs: eight bytes for each number, and once what
many share. What does not go into numbers exactly (views and reasons in words, an id of another form, a revision that
supersedes) is kept as a row; a handful of them do no harm.
"""

from array import array
from collections.abc import Hashable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

import numpy as np

from streams.label_store.labels import HOUR_MS, OWN_NUMBERS, SHARED, Labels
from streams.label_store.rows import LabelRow, in_order, moment_at, usual_id

Source = TypeVar("Source", bound=Hashable)  # a partition of the label topic

#: A row weighs as much as so many labels that are numbers.
ROW_WEIGHS: Final = 12

_EXACT_BELOW: Final = 2**53
_NAN: Final = float("nan")

Shared = tuple[Any, ...]
#: What labels must have in common to stand side by side in one array: machine, stack and the rest, hour, signals.
Key = tuple[Shared, int, tuple[str, ...]]

_MACHINE: Final = ("client_id", "machine_id", "stack")
_shared_of: Final = attrgetter(*_MACHINE, *SHARED)
_numbers_of: Final = attrgetter("source_offset", *OWN_NUMBERS)
_rare_of: Final = attrgetter("views", "because", "supersedes", "partner_offset")
_NOTHING_RARE: Final = (None, None, None, None)
_AT: Final = {name: at for at, name in enumerate((*_MACHINE, *SHARED))}


def key_of(row: LabelRow, time_ms: int) -> Key:
    """Where ``row``, of ``time_ms``, belongs."""
    return _shared_of(row), time_ms // HOUR_MS, tuple(row.signals)


def numbers_of(row: LabelRow, time_ms: int) -> tuple[float, ...] | None:
    """All of ``row``, of ``time_ms``, that its key does not tell; None where that takes more than numbers."""
    offset = row.source_offset
    if (
        _rare_of(row) != _NOTHING_RARE
        or offset >= _EXACT_BELOW
        or row.label_id != usual_id(row.stack, row.source_partition, offset, row.revision)
        or row.expected_low == 0  # a key cannot tell 0.0 from -0.0
        or row.expected_high == 0
    ):
        return None
    numbers = (time_ms, *_numbers_of(row), *row.signals.values())
    if None in numbers:
        return tuple(_NAN if number is None else number for number in numbers)
    return numbers


def array_of_numbers() -> "array[float]":
    """An empty one."""
    return array("d")


@dataclass(eq=False, slots=True)
class Bundle(Generic[Source]):
    """Labels that go into one item."""

    source: Source
    machine: tuple[str, str, str]  # client, machine, stack
    hour: int  # since 1970
    signals: tuple[str, ...]
    first_offset: int  # on the label topic
    since_s: float  # when the first of them came
    arrays: dict[Key, "array[float]"] = field(default_factory=dict)
    rows: list[LabelRow] = field(default_factory=list)
    labels: int = 0
    handed_out: bool = False

    @property
    def weight(self) -> int:
        """What it takes in memory, in labels that are numbers."""
        return self.labels + len(self.rows) * (ROW_WEIGHS - 1)

    def as_labels(self) -> Labels:
        """Its labels in columns, by event time, source offset and revision; each once."""
        arrays = {key: numbers for key, numbers in self.arrays.items() if numbers}
        kinds = [*arrays, *(key_of(row, row.time_ms) for row in self.rows)]
        width = 2 + len(OWN_NUMBERS) + len(self.signals)
        usual = [np.frombuffer(numbers).reshape(-1, width) for numbers in arrays.values()]
        odd = np.array([_with_nulls(row) for row in self.rows], dtype=np.float64).reshape(-1, width - 2)
        counts = [len(part) for part in usual]
        kind = np.repeat(np.arange(len(kinds)), [*counts, *([1] * len(self.rows))])
        times = _whole(usual, 0, [row.time_ms for row in self.rows])
        offsets = _whole(usual, 1, [row.source_offset for row in self.rows])
        revisions = np.array([key[0][_AT["revision"]] for key in kinds])[kind]
        order = np.lexsort((revisions, offsets, times))
        times, offsets, kind = times[order], offsets[order], kind[order]
        again = (np.diff(times) == 0) & (np.diff(offsets) == 0)
        if again.any():  # the same label twice, or two that only their letters tell apart
            return Labels.of_rows(in_order(self.as_rows()))
        own: list[LabelRow | None] = [*([None] * sum(counts)), *self.rows]
        numbers = np.concatenate([*(part[:, 2:] for part in usual), odd])[order]
        which = kind.tolist()
        return Labels(
            *self.machine,
            signals=self.signals,
            times=times,
            offsets=offsets,
            numbers=numbers,
            shared={name: _expand([key[0][_AT[name]] for key in kinds], which) for name in SHARED},
            rows=[own[at] for at in order.tolist()] if self.rows else None,
        )

    def as_rows(self) -> list[LabelRow]:
        """Its labels one by one, in no order."""
        rows = list(self.rows)
        for key, of_key in self.arrays.items():
            if not of_key:
                continue
            width = 2 + len(OWN_NUMBERS) + len(self.signals)
            for numbers in np.frombuffer(of_key).reshape(-1, width).tolist():
                rows += [self._row(key, [None if number != number else number for number in numbers])]
        return rows

    def _row(self, key: Key, numbers: list[Any]) -> LabelRow:
        shared = dict(zip((*_MACHINE, *SHARED), key[0], strict=True))
        time_ms, offset = int(numbers[0]), int(numbers[1])
        own = dict(zip(OWN_NUMBERS, numbers[2 : 2 + len(OWN_NUMBERS)], strict=True))
        return LabelRow(
            label_id=usual_id(shared["stack"], shared["source_partition"], offset, shared["revision"]),
            event_time=moment_at(time_ms),
            signals=dict(zip(self.signals, numbers[2 + len(OWN_NUMBERS) :], strict=True)),
            source_offset=offset,
            views=None,
            because=None,
            partner_offset=None,
            supersedes=None,
            **own,
            **shared,
        )


def _with_nulls(row: LabelRow) -> tuple[float | None, ...]:
    return (*_numbers_of(row)[1:], *row.signals.values())


def _whole(usual: list[np.ndarray], column: int, of_rows: list[int]) -> np.ndarray:
    return np.concatenate([*(part[:, column].astype(np.int64) for part in usual), np.array(of_rows, dtype=np.int64)])


def _expand(values: list[Any], which: list[int]) -> list[Any]:
    """The value of each label; of one alone where all kinds have the same."""
    first = values[0]
    if values.count(first) == len(values) and (first != 0 or isinstance(first, int)):  # 0.0 equals -0.0
        return values[:1]
    return [values[at] for at in which]
