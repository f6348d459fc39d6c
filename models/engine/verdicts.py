"""What one stack thinks of a run, in columns: the steps' findings, before labels are made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.engine.codes import HELD, SEEN

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Revised:
    """Earlier readings judged again, ``n`` of them: each has a label already, which this one replaces."""

    after: Ints  # n: offset of the reading with which it is issued again
    slot: Ints  # n
    offset: Ints  # n: the reading's own
    revision: Ints  # n: 1 the first time
    verdicts: "Verdicts"  # of these


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What one stack thinks of a run of ``n`` readings, in columns; those SEEN or HELD have no label."""

    kind: Ints  # n: see models.engine.codes
    time_ms: Ints  # n: event time; of a pair the later one
    signals: Floats  # n x s: what the stack looked at
    feature: Floats  # n x k
    median: Floats  # n x k
    raw: Floats  # n
    surprise: Floats  # n
    driver: Ints  # n: index of the feature that drove the verdict
    expected: Floats  # n x 2: low and high
    verdict: Ints  # n
    alert: Ints  # n
    opened_offset: Ints  # n
    happened: Any  # n of ALARM: filled where an alert opened or closed
    partner: Ints  # n
    model_index: Ints  # n: model in force for that reading; -1: none
    model_since: Ints  # n
    rung: Ints  # n
    due: Ints  # n: why a refit is due; 0: it is not
    views: Floats | None  # n x k x VIEWS: surprise of each view, where the detector has views
    together: Floats | None  # n: surprise of all signals together
    late: npt.NDArray[np.bool_]  # n: whether it was put in its place among readings that had come before it
    revised: tuple[Revised, ...] = ()  # in the order of the late readings

    @property
    def labelled(self) -> Ints:
        """Indices of the readings that get a label."""
        return np.flatnonzero((self.kind != SEEN) & (self.kind != HELD))

    def with_revised(self, *revised: Revised) -> "Verdicts":
        """These, and earlier readings judged again because of one of them."""
        return replace(self, revised=(*self.revised, *revised))


def join_verdicts(parts: Sequence[Verdicts]) -> Verdicts:
    """Verdicts on consecutive parts of a run as one."""
    if len(parts) == 1:
        return parts[0]
    columns: dict[str, Any] = {
        one.name: _joined([getattr(part, one.name) for part in parts])
        for one in fields(Verdicts)
        if one.name != "revised"
    }
    return Verdicts(**columns, revised=tuple(revised for part in parts for revised in part.revised))


def _joined(columns: list[Any]) -> Any:
    return None if columns[0] is None else np.concatenate(columns)
