"""What the views remember of each machine: long histories, the week, tallies, the frozen reference.

Rows are machines, as in :class:`models.engine.state.StackState`. Windows can be computed again from the ring; the rest is
kept in a checkpoint every so many readings, and readings since then are looked at again after a restart.
"""

from typing import Final

import numpy as np

from models.engine.columns import Columns
from models.engine.state import LATENESS
from models.engine.views.daily import DAYS, SLOTS
from models.engine.views.names import VIEWS
from models.engine.views.remembered import Floats, no_histories, ring
from models.engine.views.tally import BINS

#: Every second value goes into the long history, so it spans twice as many readings as it has numbers.
STRIDE: Final = 2
SHORT_WINDOW: Final = 30
LONG_WINDOW: Final = 300
#: Scores gathered before they are counted.
PENDING: Final = 32
#: Tallies of a feature: one for each view that is not calibrated by a trainer, one for their mean.
TALLIES: Final = len(VIEWS)
MEAN: Final = len(VIEWS) - 1  # the forest brings its own calibration: its place is the mean's

#: Readings of a machine between two of its checkpoints. After a restart so many at most have to be looked at again.
CHECKPOINT: Final = 256

#: A view had nothing to say.
SILENT: Final = 255
#: Steps of a surprise of all signals together: as many decimals as a label has.
TOGETHER_STEPS: Final = 10_000.0
SILENT_TOGETHER: Final = 65_535

VIEWED: Final = np.dtype(
    [
        ("learned", "<i4"),  # readings the views have learnt from
        ("gather_at_ms", "<i8"),  # event time from which the next row of a reference is gathered
        ("slow_ms", "<i8"),  # event time of the last reading in the slow means; -1: none
        ("gathered", "<i4"),  # rows of it so far
        ("left_out", "<i4"),  # rows that were left out of it
        ("skipped", "<i4"),  # readings since its last row
        ("newest_day", "<i4"),
        ("pending_length", "<i2"),  # scores gathered since they were last counted
        ("has_reference", "i1"),
        ("has_spread", "i1"),  # at that checkpoint: whether the machine's first window was over
    ]
)


class ViewsState(Columns):
    """Columns for ``k`` features and ``s`` signals."""

    #: What a checkpoint holds. The rest is derived from it and from the ring.
    KEPT: Final = (
        "viewed", "long_length", "long_value", "long_mean", "week", "counts", "pending", "median_before",
        "slow", "gathered", "centre", "scale", "axes", "limit", "said", "said_together",
    )  # fmt: skip

    def __init__(self, features: int, signals: int, history: int, reference: tuple[int, int]) -> None:
        """``reference``: its rows, and how many numbers each has."""
        self.features, self.signals, self.history = features, signals, history
        self.reference = reference if signals > 1 else (0, 1)
        self.long_window = min(LONG_WINDOW, history // 2)
        self.checkpoint_every = min(CHECKPOINT, 3 * (history - self.long_window) // 4)
        self._make_room(1)

    @property
    def long_value(self) -> Floats:
        """Rows x k x LONG: the values of the long history, a ring."""
        return ring(self.values)

    @property
    def long_mean(self) -> Floats:
        """Rows x k x LONG: their short means, a ring."""
        return ring(self.means)

    def _make_room(self, room: int) -> None:
        k, s = self.features, self.signals
        self.viewed = np.zeros(room, VIEWED)
        self.long_length = np.zeros((room, k), np.int64)  # values that ever went in
        self.values = no_histories(room, k)
        self.means = no_histories(room, k)
        self.week = np.zeros((room, k, DAYS, SLOTS), np.float32)
        self.counts = np.zeros((room, k, TALLIES, BINS), np.float32)
        self.table = np.zeros((room, k, TALLIES, BINS), np.uint8)
        self.pending = np.zeros((room, k, TALLIES, PENDING), np.int8)  # -1: nothing to count
        self.short_length = np.zeros(room, np.int64)
        self.short_valid = np.zeros((room, k), np.int64)
        self.short_sorted = np.zeros((room, k, SHORT_WINDOW), np.float32)
        self.wide_length = np.zeros(room, np.int64)
        self.wide_valid = np.zeros((room, k), np.int64)
        self.wide_sorted = np.zeros((room, k, self.long_window), np.float32)
        self.median_before = np.zeros((room, k))
        count, d = self.reference
        self.slow = np.zeros((room, 2 * s))
        self.gathered = np.zeros((room, count, d), np.float32)
        self.centre = np.zeros((room, d))
        self.scale = np.zeros((room, d))
        self.axes = np.zeros((room, d, d))
        self.limit = np.zeros(room)
        # Of the newest readings what views and mean said then: by now they have learnt these readings themselves.
        self.said = np.zeros((room, LATENESS, k, TALLIES), np.uint8)
        self.said_together = np.zeros((room, LATENESS), np.uint16)

    def _begin(self, rows: slice) -> None:
        self.viewed["newest_day"][rows] = self.viewed["slow_ms"][rows] = -1
        self.week[rows] = self.median_before[rows] = np.nan
        self.scale[rows] = self.limit[rows] = 1.0
        self.said[rows] = SILENT
        self.said_together[rows] = SILENT_TOGETHER
