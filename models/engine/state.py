"""The state of one stack over all machines of a partition, in columns: row ``s`` belongs to the machine in slot ``s``.

Of a machine's history the ring keeps the last ``history`` readings; the window of the median is its tail. What can be
computed again (features, sorted window) is not stored, see :mod:`models.engine.records`.
"""

from typing import Final

import numpy as np

from models.engine.quality import QUALITY
from models.stacks.base import Stack

#: Readings of a machine that are kept for training. 1,024 are 17 hours at one a minute.
HISTORY: Final = 1_024
#: Readings in one chunk of the changelog.
CHUNK: Final = 4
#: Of so many newest readings it is kept which label they have, so that late ones can still come between them.
LATENESS: Final = 64

CORE: Final = np.dtype(
    [
        ("last_offset", "<i8"),  # offset of the last reading that is part of this state; -1: none
        ("readings", "<i4"),  # readings put into the ring so far
        ("learned", "<i4"),  # medians an online detector has learned from
        ("cool_until_ms", "<i8"),  # no alert opens before
        ("scored", "<i4"),  # readings scored so far
        ("cool_until", "<i4"),  # nor before so many of them
        ("model", "<u8"),  # digest of the model in force; 0: none
        ("model_since", "<i8"),  # first offset it is in force for
        ("next_fit", "<i4"),  # readings at which a refit is due
        ("fit_ms", "<i8"),  # event time at which the last one was due
        ("checkpoint", "<i4"),  # readings when the detector's memory was last written whole
        ("late_in_a_row", "<u2"),  # late readings put in their places since the last one in order of time
        ("streak", "<i2"),  # labels in a row that argue for opening, or for closing
        ("alert", "i1"),  # QUIET or OPEN
        ("rung", "i1"),
        ("model_part", "i1"),  # which of its two changelog records holds the model
        ("view_part", "i1"),  # which of its two changelog records holds that
        ("waiting", "i1"),  # whether labels that late readings changed wait to be issued again
        ("by_tag", "i1"),  # whether this machine ever sent a reading by tag
    ]
)

ALARM: Final = np.dtype(
    [
        ("opened_offset", "<i8"),
        ("opened_ms", "<i8"),
        ("peak", "<f8"),  # highest surprise so far
        ("peak_ms", "<i8"),
        ("peak_value", "<f8"),  # the scored median at that peak
        ("readings", "<i8"),
        ("peak_feature", "<i8"),
    ]
)

RECENT: Final = np.dtype(
    [
        ("offset", "<u4"),  # of the reading its label is named after, the low 32 bits
        ("partner", "<u4"),  # how far before it the other half of a pair is; 0: none
        ("opened", "<u4"),  # how far before it the reading is that opened its alert, while there is one
        ("revision", "<u2"),  # of its label
        ("changed", "u1"),  # whether a late reading changed that and it waits to be issued again
    ]
)

#: No late reading has moved any other.
UNMOVED: Final = 2**62

# What the ring notes of a reading's verdict, in bits: whether it stays out of training, the alert's state (two bits), whether
# the detector has not learnt from it, since it came late, and above these its kind.
LEFT_OUT: Final = 1
ALERT_SHIFT: Final = 1
ALERT_MASK: Final = 3
UNLEARNT: Final = 8
KIND_SHIFT: Final = 4

PAIRING: Final = np.dtype([("fresh", "<i8"), ("since_ms", "<i8")])  # bit set of the signals of the pair being gathered


class StackState:
    """Columns for one stack. Rows are added by doubling; a row of a new machine is all defaults."""

    def __init__(self, stack: Stack, history: int = HISTORY, rows: int = 64) -> None:
        self.signals = len(stack.signals)
        self.features = len(stack.feature_names)
        self.window = stack.window.count
        self.history = history
        if history < 2 * LATENESS or history % LATENESS or history < self.window + LATENESS + 2 * CHUNK:
            raise ValueError(
                f"history {history} must be a multiple of {LATENESS} and hold the window of {self.window} behind them"
            )
        self._allocate(rows)

    def _allocate(self, rows: int) -> None:
        s, k, h, w = self.signals, self.features, self.history, self.window
        self.core = np.zeros(rows, CORE)
        self.core["last_offset"] = -1
        self.alarm = np.zeros(rows, ALARM)
        self.pairing = np.zeros(rows, PAIRING)
        self.quality = np.zeros((rows, s), QUALITY)
        self.tag_value = np.full((rows, s), np.nan)
        self.tag_quality = np.full((rows, s), 1, np.int8)
        self.tag_ms = np.full((rows, s), -1, np.int64)
        self.tag_offset = np.full((rows, s), -1, np.int64)
        self.ring_ms = np.zeros((rows, h), np.int64)
        self.ring_signal = np.full((rows, h, s), np.nan)
        self.ring_feature = np.zeros((rows, h, k))
        self.ring_verdict = np.zeros((rows, h), np.uint8)  # bits, see above
        self.ring_view = np.zeros((rows, h, k), np.uint8)  # what the views need to learn a reading again
        self.recent = np.zeros((rows, LATENESS), RECENT)  # of the newest readings; a ring as well
        self.moved_from = np.full(rows, UNMOVED, np.int64)  # first reading moved by a late one since the last commit
        self.window_length = np.zeros(rows, np.int64)  # readings in the window
        self.window_valid = np.zeros((rows, k), np.int64)  # of these with a value
        self.window_sorted = np.zeros((rows, k, w))
        self.reference = np.full((rows, k), np.nan)  # centre of the machine's first window, for a fleet's model
        self.spread = np.full((rows, k), np.nan)
        self.model_index = np.full(rows, -1, np.int64)  # into the look-ups

    @property
    def rows(self) -> int:
        """Rows allocated."""
        return len(self.core)

    def grow(self, rows: int) -> None:
        """Make room for at least ``rows`` machines."""
        if rows <= self.rows:
            return
        old = dict(vars(self))
        kept = self.rows
        self._allocate(max(rows, 2 * kept))
        for name, column in vars(self).items():
            if isinstance(column, np.ndarray):
                column[:kept] = old[name]

    @property
    def nbytes(self) -> int:
        """Memory of all columns, bytes."""
        return sum(column.nbytes for column in vars(self).values() if isinstance(column, np.ndarray))
