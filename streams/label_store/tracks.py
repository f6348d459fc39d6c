"""A track: labels of one machine and stack in columns by event time, as far as a chart draws them.

A month of a machine is half a million labels. As rows they take ten times as long, most of it for what no chart shows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
import numpy.typing as npt

from schemas.labels import UnscoredReason
from streams.label_store.attributes import Item
from streams.label_store.packing import NUMBER_OF, SORT_KEY, columns_in

Whole = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

#: Numbers of a label that are drawn, in this order; its signals come beside them.
DRAWN: Final = ("value", "median", "expected_low", "expected_high", "surprise")
#: What a label said, by code: its verdict, or why it has none. The last one is of whatever this version does not know.
STATES: Final = ("normal", "anomalous", *get_args(UnscoredReason), "unscored")
_CODE: Final = {name: code for code, name in enumerate(STATES)}

_SHARED: Final = ("label", "reason", "expected_low", "expected_high", "source_partition", "revision")
#: The attributes that :func:`track_of` needs.
TRACK_ATTRIBUTES: Final = (SORT_KEY, "stack", "signals", "columns", *_SHARED)


@dataclass(frozen=True, slots=True)
class Track:
    """``n`` labels; NaN is null. ``signals`` names the columns of ``levels``."""

    signals: tuple[str, ...]
    times_ms: Whole  # n
    partitions: Whole  # n
    offsets: Whole  # n
    revisions: Whole  # n
    states: Whole  # n, codes
    numbers: Numbers  # n x len(DRAWN)
    levels: Numbers  # n x len(signals)

    def __len__(self) -> int:
        return len(self.times_ms)

    def at(self, places: npt.NDArray[Any]) -> "Track":
        """Those at ``places``: indices, or a mask."""
        return Track(
            self.signals,
            self.times_ms[places],
            self.partitions[places],
            self.offsets[places],
            self.revisions[places],
            self.states[places],
            self.numbers[places],
            self.levels[places],
        )


def state_code(verdict: str | None, reason: str | None) -> int:
    """Place in :data:`STATES` of what a label said.

    >>> STATES[state_code("unscored", "frozen")], STATES[state_code("anomalous", None)]
    ('frozen', 'anomalous')
    """
    said = reason if verdict == "unscored" and reason is not None else verdict
    return _CODE.get(said or "", len(STATES) - 1)


def nothing() -> Track:
    """A track without labels."""
    none = np.zeros(0, np.int64)
    return Track((), none, none, none, none, none, np.zeros((0, len(DRAWN))), np.zeros((0, 0)))


def join(tracks: Iterable[Track]) -> Track:
    """All of them by event time and offset: each reading once, by the label with its highest revision."""
    parts = [one for one in tracks if len(one)]
    if not parts:
        return nothing()
    signals = tuple(dict.fromkeys(name for one in parts for name in one.signals))
    whole = Track(
        signals,
        np.concatenate([one.times_ms for one in parts]),
        np.concatenate([one.partitions for one in parts]),
        np.concatenate([one.offsets for one in parts]),
        np.concatenate([one.revisions for one in parts]),
        np.concatenate([one.states for one in parts]),
        np.concatenate([one.numbers for one in parts]),
        np.concatenate([_spread(one, signals) for one in parts]),
    )
    if (np.diff(whole.times_ms) > 0).all():
        return whole  # as a machine's items mostly are
    order = np.lexsort((whole.revisions, whole.offsets, whole.partitions, whole.times_ms))
    again = np.zeros(len(order), np.bool_)  # whether the next one is of the same reading
    again[:-1] = True
    for column in (whole.times_ms, whole.partitions, whole.offsets):
        again[:-1] &= np.diff(column[order]) == 0
    return whole.at(order[~again])


def _spread(track: Track, signals: tuple[str, ...]) -> Numbers:
    if track.signals == signals:
        return track.levels
    levels = np.full((len(track), len(signals)), np.nan)
    for place, name in enumerate(track.signals):
        levels[:, signals.index(name)] = track.levels[:, place]
    return levels


def track_of(item: Item) -> Track:
    """The labels of an item, every revision of them."""
    columns = columns_in(item)
    times_ms = np.array(columns[NUMBER_OF["event_time"]], np.int64).cumsum()
    n = len(times_ms)
    signals = tuple(name["S"] for name in item["signals"]["L"])
    numbers, levels = np.empty((n, len(DRAWN))), np.empty((n, len(signals)))
    for place, name in enumerate(DRAWN):
        numbers[:, place] = float(item[name]["N"]) if name in item else _numbers(columns.get(NUMBER_OF[name]))
    for place, column in enumerate(columns[NUMBER_OF["signals"]]):
        levels[:, place] = _numbers(column)
    return Track(
        signals,
        times_ms,
        _whole(item, columns, "source_partition", n),
        np.array(columns[NUMBER_OF["source_offset"]], np.int64).cumsum(),
        _whole(item, columns, "revision", n),
        _states(item, columns, n),
        numbers,
        levels,
    )


def _numbers(column: tuple[int, Sequence[Any]] | None) -> Numbers | float:
    """As :func:`streams.label_store.columns.numbers_of`; NaN where there is no column."""
    if column is None:
        return np.nan
    decimals, kept = column
    made = np.array(kept, np.float64)  # None becomes NaN
    if decimals < 0:
        return made
    missing = np.isnan(made)
    if missing.any():
        made = np.nancumsum(made)
        made[missing] = np.nan
    else:
        made = made.cumsum()
    return made / 10.0**decimals


def _whole(item: Item, columns: dict[int, Any], name: str, n: int) -> Whole:
    if name in item:
        return np.full(n, int(item[name]["N"]), np.int64)
    column = columns.get(NUMBER_OF[name])
    return np.zeros(n, np.int64) if column is None else np.array(column, np.int64).cumsum()


def _states(item: Item, columns: dict[int, Any], n: int) -> Whole:
    verdict, reason = (_words(item, columns, name) for name in ("label", "reason"))
    if isinstance(verdict, str) and (reason is None or isinstance(reason, str)):
        return np.full(n, state_code(verdict, reason), np.int64)
    verdicts = [verdict] * n if isinstance(verdict, str) or verdict is None else verdict
    reasons = [reason] * n if isinstance(reason, str) or reason is None else reason
    return np.array([state_code(*its) for its in zip(verdicts, reasons, strict=True)], np.int64)


def _words(item: Item, columns: dict[int, Any], name: str) -> str | list[str | None] | None:
    """One for all labels, or one for each."""
    if name in item:
        return str(item[name]["S"])
    column = columns.get(NUMBER_OF[name])
    return None if column is None else [column[0][at] for at in column[1]]
