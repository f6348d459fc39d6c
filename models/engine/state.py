"""The state of one stack over all machines of a process, in columns: row ``s`` belongs to the machine in slot ``s``.

Of a machine's history the ring keeps the last ``history`` readings; the window of the median is its tail. What can be
computed again (features, sorted window) is not stored, see :mod:`models.engine.records`.
"""

from typing import Final

import numpy as np

from models.engine.columns import Columns
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
        # No reading from number 0, and from number ``n * history - LATENESS``, on has a smaller offset; of the last two n.
        ("oldest_offset", "<i8", (2,)),
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
        ("readings", "<i4"),
        ("peak_feature", "<i4"),
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


class StackState(Columns):
    """Columns for one stack."""

    def __init__(self, stack: Stack, history: int = HISTORY) -> None:
        self.signals = len(stack.signals)
        self.features = len(stack.feature_names)
        self.window = stack.window.count
        self.history = history
        if history < 2 * LATENESS or history % LATENESS or history < self.window + LATENESS + 2 * CHUNK:
            raise ValueError(
                f"history {history} must be a multiple of {LATENESS} and hold the window of {self.window} behind them"
            )
        self._make_room(1)

    def _make_room(self, room: int) -> None:
        s, k, h, w = self.signals, self.features, self.history, self.window
        self.core = np.zeros(room, CORE)
        self.alarm = np.zeros(room, ALARM)
        self.pairing = np.zeros(room, PAIRING)
        self.quality = np.zeros((room, s), QUALITY)
        self.tag_value = np.zeros((room, s))
        self.tag_quality = np.zeros((room, s), np.int8)
        self.tag_ms = np.zeros((room, s), np.int64)
        self.tag_offset = np.zeros((room, s), np.int64)
        self.ring_ms = np.zeros((room, h), np.int64)
        self.ring_signal = np.zeros((room, h, s))
        self.ring_feature = np.zeros((room, h, k))
        self.ring_verdict = np.zeros((room, h), np.uint8)  # bits, see above
        self.ring_view = np.zeros((room, h, k), np.uint8)  # what the views need to learn a reading again
        self.recent = np.zeros((room, LATENESS), RECENT)  # of the newest readings; a ring as well
        self.moved_from = np.zeros(room, np.int64)  # first reading moved by a late one since the last commit
        self.window_length = np.zeros(room, np.int32)  # readings in the window
        self.window_valid = np.zeros((room, k), np.int64)  # of these with a value
        self.window_sorted = np.zeros((room, k, w))
        self.reference = np.zeros((room, k))  # centre of the machine's first window, for a fleet's model
        self.spread = np.zeros((room, k))
        self.model_index = np.zeros(room, np.int64)  # into the look-ups

    def _begin(self, rows: slice) -> None:
        self.core["last_offset"][rows] = -1
        self.tag_quality[rows] = 1
        self.moved_from[rows] = UNMOVED
        self.tag_ms[rows] = self.tag_offset[rows] = self.model_index[rows] = -1
        self.tag_value[rows] = self.reference[rows] = self.spread[rows] = np.nan
