"""Whose turn it is after a start: readings that may have been judged before, then models, then all other readings.

Labels are sent before the state that made them is durable. A worker that was killed in between judges these readings again,
and must do so with the models of then: a model that came meanwhile has to wait until they are past. Those that came before
all of that are in force from the first reading on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: So many offsets may be judged beyond what is committed: a worker that starts knows by it how far another may have come.
MOST_AHEAD: Final = 200_000


@dataclass(frozen=True, slots=True)
class Start:
    """Where one partition's topics ended when it became ours."""

    again_to: int  # readings before it may have been judged already
    models_to: int  # models before it are to be in force before further readings


def start_of(committed: int, readings_end: int, models_end: int, labels_end: int) -> Start:
    """What is to be done first in a partition whose readings are committed up to ``committed``.

    Where no label was ever sent nothing was judged, and models go first:

    >>> start_of(committed=0, readings_end=500, models_end=3, labels_end=0)
    Start(again_to=0, models_to=3)
    >>> start_of(committed=400, readings_end=500, models_end=3, labels_end=420)
    Start(again_to=500, models_to=3)
    """
    again_to = min(readings_end, committed + MOST_AHEAD) if labels_end else 0
    return Start(again_to, models_end)


def may_flow(start: Start, judged_to: int, models_read: int) -> tuple[bool, bool]:
    """Whether readings may be fetched now, and whether models may.

    >>> start = Start(again_to=500, models_to=3)
    >>> may_flow(start, judged_to=400, models_read=0), may_flow(start, judged_to=500, models_read=0)
    ((True, False), (False, True))
    >>> may_flow(start, judged_to=500, models_read=3)
    (True, True)
    """
    if judged_to < start.again_to:
        return True, False
    return models_read >= start.models_to, True


def furthest_ahead(next_offsets: Mapping[int, int], committed: Mapping[int, int]) -> int:
    """How far judging is beyond committing, in the partition where that is furthest.

    >>> furthest_ahead({0: 70, 1: 15}, {0: 10, 1: 10})
    60
    """
    return max((offset - committed.get(number, offset) for number, offset in next_offsets.items()), default=0)
