"""How much of a signal is drawn with a ruler: values that a historian made up between two that were measured."""

from typing import Final

import numpy as np

from models.explore.series import Floats

_WINDOW: Final = 20
#: A window must cross so many steps of the signal's resolution: over fewer, everything is straight.
_LEAST_STEPS: Final = 8.0
#: So far from the line, in these steps, a value may be by rounding.
_OFF: Final = 1.01
#: Where so few windows move at all, nothing is said.
_LEAST_WINDOWS: Final = 10
_TIED: Final = 1e-9


def straight_share(values: Floats, step: float) -> float | None:
    """Share of stretches of twenty readings, of those that move, in which all lie on one line; None if hardly any moves.

    ``step`` is the smallest difference between two values.

    >>> straight_share(np.interp(np.arange(900.0), [0, 400, 900], [600, 580, 640]), 0.001).__round__(2)
    1.0
    >>> straight_share(np.random.default_rng(0).normal(600, 2, 900).round(3), 0.001)
    0.0
    """
    there = values[~np.isnan(values)]
    windows = there[: len(there) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    if not len(windows) or step <= 0:
        return None
    reach = np.ptp(windows, axis=1)
    moving = windows[reach >= _LEAST_STEPS * step]
    if len(moving) < _LEAST_WINDOWS:
        return None
    # Of the line through its ends each value may be off by rounding, and by that of the ends.
    share = np.linspace(0.0, 1.0, _WINDOW)
    on_line = moving[:, :1] * (1 - share) + moving[:, -1:] * share
    off = np.abs(moving - on_line).max(axis=1)
    return float((off <= _OFF * step + _TIED * np.abs(moving).max(axis=1)).mean())
