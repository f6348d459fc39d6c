"""How far values usually lie from their middle, and the least that this may be."""

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: The quartiles of a normal distribution lie this many standard deviations apart.
_IQR_PER_SIGMA: Final = 1.349
#: A signal that never moved is known no better than a gauge is: a thousandth.
_FLAT_SHARE: Final = 1e-3
#: Smaller differences come from rounding in a subtraction or a change of unit.
_ROUNDING_SHARE: Final = 1e-9
#: No gauge resolves less than this share of what it shows.
_RESOLUTION_SHARE: Final = 1e-4


def spread_floor(values: Array) -> float:
    """The least spread that may be claimed of ``values`` (n, finite, not empty): one step of their quantisation.

    The step is the smallest difference between distinct values. A flat signal has none: a thousandth of its value.

    >>> spread_floor(np.array([10.0, 10.5, 12.0, 10.5]))
    0.5
    >>> spread_floor(np.array([250.0, 250.0]))
    0.25
    """
    size = abs(float(np.median(values)))
    steps = np.diff(np.unique(values))
    steps = steps[steps > _ROUNDING_SHARE * max(1.0, size)]
    if len(steps) == 0:
        return _FLAT_SHARE * max(1.0, size)
    return max(float(steps.min()), _RESOLUTION_SHARE * size)


def robust_spread(values: Array) -> float:
    """Spread of ``values`` (n, finite, not empty) by their quartiles; one standard deviation if they are normal.

    >>> robust_spread(np.arange(0.0, 101.0)).__round__(2)
    37.06
    """
    low, high = np.quantile(values, (0.25, 0.75))
    return max(float(high - low) / _IQR_PER_SIGMA, spread_floor(values))
