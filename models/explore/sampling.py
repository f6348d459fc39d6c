"""How often a machine is measured, and where nothing came."""

from typing import Final

import numpy as np

from models.explore.series import Ints
from models.explore.stretches import MOST_TOLD
from schemas.exploration import Gaps, Sampling, Stretch
from schemas.times import moment

_REGULAR: Final = 0.1
#: Nothing for this many intervals, and longer than nearly all others took, is a gap.
_GAP_INTERVALS: Final = 3.0


def sampling(time_ms: Ints) -> Sampling | None:
    """Of moments in order, each once; None of one alone.

    >>> made = sampling(np.array([0, 60_000, 120_000, 180_000, 600_000]))
    >>> made.interval_s, round(made.coverage, 2), made.regular_share
    (60.0, 0.45, 0.75)
    """
    if len(time_ms) < 2:
        return None
    steps_s = np.diff(time_ms) / 1000
    low, middle, high = np.quantile(steps_s, (0.05, 0.5, 0.95))
    span_s = float(time_ms[-1] - time_ms[0]) / 1000
    return Sampling(
        interval_s=float(middle),
        shortest_s=float(low),
        longest_s=float(high),
        regular_share=float((np.abs(steps_s - middle) <= _REGULAR * middle).mean()),
        coverage=min(1.0, len(time_ms) / (span_s / float(middle) + 1)),
    )


def gap_limit_ms(its: Sampling) -> float:
    """Longer than this without a reading is a gap."""
    return 1000 * max(
        _GAP_INTERVALS * its.interval_s, 1.5 * its.longest_s if its.longest_s < 10 * its.interval_s else 0.0
    )


def gaps(time_ms: Ints, its: Sampling | None) -> Gaps:
    """Of moments in order: between which nothing came for longer than is usual."""
    if its is None:
        return Gaps(count=0, total_s=0.0, longest=[])
    steps = np.diff(time_ms)
    found = np.flatnonzero(steps > gap_limit_ms(its))
    by_length = found[np.argsort(-steps[found], kind="stable")][:MOST_TOLD]
    return Gaps(
        count=len(found),
        total_s=float(steps[found].sum()) / 1000,
        longest=[
            Stretch(
                start=moment(int(time_ms[place])),
                end=moment(int(time_ms[place + 1])),
                readings=max(0, round(float(steps[place]) / 1000 / its.interval_s) - 1),
            )
            for place in by_length.tolist()
        ],
    )
