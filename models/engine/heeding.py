"""What people said, laid over a machine's history: which of it a model is fitted to."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.engine.codes import CLOSED, OPEN, OPENED
from schemas.feedback import Feedback
from schemas.times import datetime_to_ms, moment
from schemas.training import HeededFeedback

Flags = npt.NDArray[np.bool_]
Times = npt.NDArray[np.int64]

_NOBODY: Final = -1


class Settled(NamedTuple):
    """Which of a history's readings are left out (n), and by whose word."""

    left_out: Flags
    heeded: list[HeededFeedback]


def settle(times_ms: Times, alerts: npt.NDArray[np.integer], marked: Flags, said: Iterable[Feedback]) -> Settled:
    """What to leave out of a history (n readings, oldest first), of which the engine ``marked`` what was anomalous.

    ``alerts``: the alert's state after each reading. ``said``: what stands, in order; of two about one reading the later one
    counts. What is confirmed is left out and what is a false alarm is not, with the anomalous readings right before it that
    made its alert open. Of all other readings those that are marked are left out; unless that is more than half of them,
    for then it is the model that no longer fits.
    """
    heard = list(said)
    word = np.full(len(times_ms), _NOBODY)  # whose word decides a reading
    for number, one in enumerate(heard):
        first, stop = _stretch(times_ms, alerts, one)
        while one.kind == "false_alarm" and 0 < first < stop and marked[first - 1] and word[first - 1] == _NOBODY:
            first -= 1
        word[first:stop] = number
    nobody = word == _NOBODY
    left_out = marked & nobody
    if 2 * int(left_out.sum()) > int(nobody.sum()):
        left_out[:] = False
    heeded = []
    for number, one in enumerate(heard):
        decided = np.flatnonzero(word == number)
        if len(decided):
            left_out[decided] = one.kind == "confirm"
            heeded.append(_heeded(one, times_ms[decided]))
    return Settled(left_out, heeded)


def _stretch(times_ms: Times, alerts: npt.NDArray[np.integer], one: Feedback) -> tuple[int, int]:
    """First reading of the stretch that ``one`` is about, and the one behind its last.

    Where it has no end it ends with the alert that was open then; what is about no alert goes on.
    """
    assert one.from_time is not None  # its kind has one
    first = int(np.searchsorted(times_ms, datetime_to_ms(one.from_time), side="left"))
    if one.to_time is not None:
        return first, max(first, int(np.searchsorted(times_ms, datetime_to_ms(one.to_time), side="right")))
    if first == len(times_ms):
        return first, first
    if alerts[first] not in (OPENED, OPEN):
        # The alert is over and its readings are no longer kept; or there never was one.
        return first, first if one.incident_id is not None else len(times_ms)
    closed = np.flatnonzero(alerts[first:] == CLOSED)
    return first, first + int(closed[0]) + 1 if len(closed) else len(times_ms)


def _heeded(one: Feedback, times_ms: Times) -> HeededFeedback:
    return HeededFeedback(
        feedback_id=one.feedback_id,
        kind="confirm" if one.kind == "confirm" else "false_alarm",
        by=one.by,
        from_time=moment(int(times_ms[0])),
        to_time=moment(int(times_ms[-1])),
        readings=len(times_ms),
    )
