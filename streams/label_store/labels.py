"""Labels of one item in columns: what packing starts from, whether they came as rows or were gathered as numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from streams.label_store.rows import LabelRow

#: No item reaches beyond an hour of event time, so that reading a range begins at most an hour before it.
HOUR_MS: Final = 3_600_000

#: Texts that usually are the same on all labels of an item: an attribute of its own where they are, else a column.
SHARED_TEXTS: Final = (
    "feature",
    "label",
    "reason",
    "alert",
    "incident_id",
    "detector",
    "model_digest",
    "model_rung",
    "code_version",
    "git_commit",
    "source_topic",
)
SHARED_WHOLE: Final = ("model_since_offset", "source_partition", "revision")
SHARED_NUMBERS: Final = ("expected_low", "expected_high")
SHARED: Final = (*SHARED_TEXTS, *SHARED_WHOLE, *SHARED_NUMBERS)
#: Numbers that each label has of its own.
OWN_NUMBERS: Final = ("value", "median", "score", "surprise")


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of one machine, stack and set of signals, by event time, source offset and revision."""

    client_id: str
    machine_id: str
    stack: str
    signals: tuple[str, ...]
    times: np.ndarray  # epoch ms
    offsets: np.ndarray
    numbers: np.ndarray  # a column for each of OWN_NUMBERS, then one for each signal; NaN is null
    shared: Mapping[str, Sequence[Any]]  # a value for each label, or one for all of them
    #: Labels as they came, where some of them are more than the above; None for one that is not.
    rows: Sequence[LabelRow | None] | None

    def __len__(self) -> int:
        return len(self.times)

    @classmethod
    def of_rows(cls, rows: Sequence[LabelRow]) -> "Labels":
        """``rows`` in columns. They are in order, and each is there once."""
        first = rows[0]
        shared = {name: [getattr(row, name) for row in rows] for name in SHARED}
        numbers = [[*(getattr(row, name) for name in OWN_NUMBERS), *row.signals.values()] for row in rows]
        return cls(
            first.client_id,
            first.machine_id,
            first.stack,
            tuple(first.signals),
            np.array([row.time_ms for row in rows], dtype=np.int64),
            np.array([row.source_offset for row in rows], dtype=np.int64),
            np.array(numbers, dtype=np.float64).reshape(len(rows), -1),
            shared,
            rows,
        )

    def part(self, begin: int, end: int) -> "Labels":
        """Those from one place up to another."""
        return Labels(
            self.client_id,
            self.machine_id,
            self.stack,
            self.signals,
            self.times[begin:end],
            self.offsets[begin:end],
            self.numbers[begin:end],
            {name: values if len(values) == 1 else values[begin:end] for name, values in self.shared.items()},
            None if self.rows is None else self.rows[begin:end],
        )
