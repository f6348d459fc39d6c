"""All signals of a machine together, against a reference frozen from its first readings.

A fault that lasts must stay visible, so the reference is not moved by what comes after it. What is looked at are, of each
signal, a mean of its last ten readings; or, where a machine works in cycles, a slow mean over some of them and how lively
the signal is. How far they are from the reference's middle is measured along its principal axes, each in the reference's
own spread there (Mahalanobis 1936; Jackson and Mudholkar 1979), and divided by what the reference itself reached in its
highest hundredth.
"""

import math
from typing import Any, Final

import numpy as np

from models.engine.compiled import compiled
from models.engine.views.axes import principal_axes

#: Readings in the short mean.
MEAN_OF: Final = 10
#: An axis along which the reference hardly moved is given this share of the mean variance.
_LEAST_VARIANCE: Final = 0.02
#: A hundredth of the reference itself is beyond its limit: a surprise of 2.
_AT_LIMIT: Final = 2.0
#: Longer gaps move a slow mean no further than this.
_LONGEST_STEP_MS: Final = 600_000
#: Liveliness is taken as a logarithm, and is never below a hundredth.
_LEAST_DISTANCE: Final = 1e-2


@compiled
def short_means(ring: Any, newest: int, out: Any) -> None:
    """Means of the last MEAN_OF whole readings of ``ring`` (history x s) into ``out`` (s); NaN when there is none."""
    history, signals = ring.shape
    out[:] = 0.0
    found = 0
    for back in range(min(newest + 1, 2 * MEAN_OF)):
        at = (newest - back) % history
        whole = True
        for j in range(signals):
            if ring[at, j] != ring[at, j]:
                whole = False
        if not whole:
            continue
        found += 1
        for j in range(signals):
            out[j] += ring[at, j]
        if found == MEAN_OF:
            break
    for j in range(signals):
        out[j] = out[j] / found if found > 0 else np.nan


@compiled
def slow_means(values: Any, time_ms: int, before_ms: int, memory_ms: int, slow: Any, out: Any) -> None:
    """Move the slow means on by a whole reading ``values`` (s); ``out``: 2 s, of each signal its mean and its liveliness.

    ``slow``: 2 s, of each signal the mean and the mean distance from it; ``before_ms`` below 0: nothing yet.
    """
    weight = 1.0
    if before_ms >= 0:
        weight = 1.0 - math.exp(-min(time_ms - before_ms, _LONGEST_STEP_MS) / memory_ms)
    for j in range(values.shape[0]):
        slow[2 * j] += weight * (values[j] - slow[2 * j])
        slow[2 * j + 1] += weight * (abs(values[j] - slow[2 * j]) - slow[2 * j + 1])
        out[2 * j] = slow[2 * j]
        out[2 * j + 1] = math.log(slow[2 * j + 1] + _LEAST_DISTANCE)


@compiled
def distance(means: Any, centre: Any, scale: Any, axes: Any) -> Any:
    """Distance of ``means`` (d) from a reference in its own spreads, root mean square over its axes."""
    total = 0.0
    for a in range(axes.shape[0]):
        along = 0.0
        for j in range(axes.shape[1]):
            along += axes[a, j] * ((means[j] - centre[j]) / scale[j])
        total += along * along
    return math.sqrt(total / axes.shape[0])


@compiled
def make_reference(means: Any, centre: Any, scale: Any, axes: Any) -> Any:
    """Freeze a reference from ``means`` (n x d, n >= 1): fills centre and scale (d) and axes (d x d), a row for each.

    Returns the distance that a hundredth of them reach, at least half a spread.
    """
    n, d = means.shape
    for j in range(d):
        column = np.sort(means[:, j])
        centre[j] = (column[(n - 1) // 2] + column[n // 2]) / 2.0
        mean, total, step = 0.0, 0.0, np.inf
        for i in range(n):
            mean += column[i] / n
        for i in range(n):
            total += (column[i] - mean) ** 2
            if i > 0 and column[i] > column[i - 1]:
                step = min(step, column[i] - column[i - 1])
        floor = step if step < np.inf else 1e-3 * max(1.0, abs(centre[j]))
        scale[j] = max(math.sqrt(total / n), floor)

    middle, covariance = np.zeros(d), np.zeros((d, d))
    for i in range(n):
        for j in range(d):
            middle[j] += (means[i, j] - centre[j]) / scale[j] / n
    for i in range(n):
        for j in range(d):
            for m in range(d):
                one = (means[i, j] - centre[j]) / scale[j] - middle[j]
                covariance[j, m] += one * ((means[i, m] - centre[m]) / scale[m] - middle[m]) / n
    variances, vectors = principal_axes(covariance)
    for a in range(d):
        for j in range(d):
            axes[a, j] = vectors[j, a] / math.sqrt(max(variances[a], _LEAST_VARIANCE))

    reached = np.empty(n)
    for i in range(n):
        reached[i] = distance(means[i], centre, scale, axes)
    reached = np.sort(reached)
    return max(reached[min(int(0.99 * n), n - 1)], 0.5)


@compiled
def surprise_together(reached: float, limit: float, decades: float, highest: float) -> Any:
    """Surprise of a distance: 2 at the reference's ``limit``, ``decades`` more for each tenfold of it."""
    ratio = reached / limit
    if ratio <= 1.0:
        return _AT_LIMIT * ratio
    return min(_AT_LIMIT + decades * math.log10(ratio), highest)
