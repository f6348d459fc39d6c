"""Sixth step: whose model is due for a refit, and what the trainer gets to see of a machine's history."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.engine.compiled import compiled
from models.engine.state import ALERT_MASK, ALERT_SHIFT, LATENESS, LEFT_OUT, StackState
from models.engine.window import medians_of_history
from schemas.training import TrainingReason

#: Readings before the first fit; after it, at every doubling.
FIRST_FIT: Final = 200
DAY_MS: Final = 86_400_000


@compiled
def find_due(slot: Any, time_ms: Any, sequence: Any, core: Any, first_fit: int, due: Any) -> None:
    """Set ``due[i]`` where reading ``i`` makes a refit due: after ``first_fit`` readings, at every doubling, and daily.

    Daily means: a day of event time later, if as many readings as a first fit takes have come since.
    """
    for i in range(slot.shape[0]):
        due[i] = 0
        if sequence[i] < 0:
            continue
        machine = core[slot[i]]
        count = sequence[i] + 1
        if count < first_fit:
            continue
        a_day_later = time_ms[i] - machine.fit_ms >= DAY_MS and count - machine.next_fit // 2 >= first_fit
        if machine.next_fit == 0 or count >= machine.next_fit or a_day_later:
            due[i] = 1 if machine.next_fit == 0 else (2 if count >= machine.next_fit else 3)
            machine.next_fit = 2 * count
            machine.fit_ms = time_ms[i]


def readings_until_due(core: Any, times_ms: npt.NDArray[np.int64], first_fit: int) -> int:
    """How many of the readings at ``times_ms`` (n, one machine's, next in line) can be stepped so that at most the last of
    them makes a refit due; at least 1, at most n.
    """
    readings, next_fit = int(core["readings"]), int(core["next_fit"])
    if next_fit == 0:
        return min(max(1, first_fit - readings), len(times_ms))
    later = np.flatnonzero(times_ms - int(core["fit_ms"]) >= DAY_MS)
    enough = next_fit // 2 + first_fit - readings  # readings until a day's distance counts
    by_day = max(int(later[0]) + 1, enough) if len(later) else len(times_ms)
    return min(max(1, min(next_fit - readings, by_day)), len(times_ms))


REASONS: Final[dict[int, TrainingReason]] = {1: "first", 2: "more_history", 3: "daily"}


def history_view(state: StackState, slot: int) -> npt.NDArray[np.int64]:
    """Positions in the ring of a machine's history, oldest first."""
    readings = int(state.core[slot]["readings"])
    known = min(readings, state.history)
    return np.arange(readings - known, readings) % state.history


def training_medians(
    state: StackState, slot: int, span_ms: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Medians (n x k, NaN where there is none) and times (n) of a machine's history."""
    where = history_view(state, slot)
    times = state.ring_ms[slot, where]
    medians = np.empty((len(where), state.features))
    for k in range(state.features):
        column = np.empty(len(where))
        medians_of_history(
            times, np.ascontiguousarray(state.ring_feature[slot, where, k]), state.window, span_ms, column
        )
        column[np.isnan(state.ring_feature[slot, where, k])] = np.nan  # a reading without a value was not scored
        medians[:, k] = column
    if int(state.core[slot]["readings"]) > len(where):
        medians[: state.window] = np.nan  # their windows reach back to what is no longer kept
    return medians, times


def alerts_and_marks(state: StackState, slot: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Of a machine's history (n): the alert's state after each reading, and which were anomalous or lay in an open alert.

    These are left out, so that a lasting fault is not learnt as normal (:mod:`models.engine.heeding`).
    """
    noted = state.ring_verdict[slot, history_view(state, slot)]
    return (noted >> ALERT_SHIFT) & ALERT_MASK, (noted & LEFT_OUT) != 0


def first_offset(state: StackState, slot: int) -> int:
    """An offset that no reading of a machine's history is before.

    It may be that of an earlier reading, by at most the length of another history.
    """
    core = state.core[slot]
    number = max(0, int(core["readings"]) - state.history)
    return int(core["oldest_offset"][(number + LATENESS) // state.history % 2])


def stretches(times_ms: npt.NDArray[np.int64], marked: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last time of each unbroken stretch of marked readings.

    >>> stretches(np.array([1, 2, 3, 4]), np.array([True, True, False, True]))
    [(1, 2), (4, 4)]
    """
    if not marked.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marked.astype(np.int8), [0]))))
    return [
        (int(times_ms[first]), int(times_ms[last - 1])) for first, last in zip(edges[::2], edges[1::2], strict=True)
    ]
