"""All signals of a machine together, against a reference frozen from its first readings.

A fault that lasts must stay visible, so the reference is not moved by what comes after it. What is scored is a mean of
the last readings, in spreads of the reference: how far the farthest signal is out, and how far the signals are from the
planes in which they moved together (principal components, Jackson and Mudholkar 1979). Each is divided by what the
reference itself reached in its highest hundredth.
"""

import math
from typing import Any, Final

import numpy as np

from models.engine.compiled import compiled

#: Readings in the mean that is scored.
MEAN_OF: Final = 10
#: Principal components that explain so much of the reference are its planes; the rest is what it does not do.
_EXPLAINED: Final = 0.9
_LEAST_VARIANCE: Final = 1e-3
#: A hundredth of the reference itself is beyond its limit: a surprise of 2.
_AT_LIMIT: Final = 2.0
#: How fast surprise grows beyond it: the slope of a Pareto tail of shape 1.4. A reference of some hundred readings cannot
#: know how far a healthy machine wanders, so five times its limit is 2.5, not 10.
_DECADES_PER_DECADE: Final = 0.715


@compiled
def mean_deviation(ring: Any, newest: int, oldest: int, centre: Any, scale: Any, out: Any) -> None:
    """Mean of the last MEAN_OF whole readings in spreads; ``ring`` is history x s, ``out`` s. NaN when there is none.

    ``oldest`` is the number of the first reading that may count.
    """
    history, signals = ring.shape
    out[:] = 0.0
    found = 0
    for back in range(2 * MEAN_OF):
        if newest - back < oldest or found == MEAN_OF:
            break
        at = (newest - back) % history
        whole = True
        for j in range(signals):
            if ring[at, j] != ring[at, j]:
                whole = False
        if not whole:
            continue
        found += 1
        for j in range(signals):
            out[j] += (ring[at, j] - centre[j]) / scale[j]
    for j in range(signals):
        out[j] = out[j] / found if found > 0 else np.nan


@compiled
def farthest(deviation: Any) -> Any:
    """The signal that is farthest out, in spreads."""
    most = 0.0
    for j in range(deviation.shape[0]):
        most = max(most, abs(deviation[j]))
    return most


@compiled
def off_plane(deviation: Any, axes: Any) -> float:
    """Root mean square along the axes that the reference hardly moved on, in its own spreads there; 0 without any.

    ``axes``: s x s, a row for each such axis, zeros for the others.
    """
    total, used = 0.0, 0
    for a in range(axes.shape[0]):
        along, length = 0.0, 0.0
        for j in range(axes.shape[1]):
            along += axes[a, j] * deviation[j]
            length += abs(axes[a, j])
        if length > 0.0:
            used += 1
            total += along * along
    return math.sqrt(total / used) if used > 0 else 0.0


@compiled
def _quantile(values: Any, share: float) -> Any:
    ordered = np.sort(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


@compiled
def make_reference(rows: Any, centre: Any, scale: Any, axes: Any, limits: Any) -> None:
    """Freeze a reference from whole readings ``rows`` (n x s, n > MEAN_OF); fills centre, scale (s), axes, limits (2)."""
    n, signals = rows.shape
    for j in range(signals):
        column = np.sort(rows[:, j])
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

    means = np.empty((n, signals))
    for i in range(n):
        mean_deviation(rows, i, 0, centre, scale, means[i])
    used = means[MEAN_OF - 1 :]
    covariance = np.zeros((signals, signals))
    middle = np.zeros(signals)
    for i in range(used.shape[0]):
        for j in range(signals):
            middle[j] += used[i, j] / used.shape[0]
    for i in range(used.shape[0]):
        for j in range(signals):
            for m in range(signals):
                covariance[j, m] += (used[i, j] - middle[j]) * (used[i, m] - middle[m]) / used.shape[0]
    variances, vectors = np.linalg.eigh(covariance)  # rising
    axes[:] = 0.0
    whole, explained = variances.sum(), 0.0
    for a in range(signals - 1, -1, -1):
        if explained >= _EXPLAINED * whole and a < signals - 1:
            for j in range(signals):
                axes[a, j] = vectors[j, a] / math.sqrt(max(variances[a], _LEAST_VARIANCE))
        explained += variances[a]

    out, off = np.empty(used.shape[0]), np.empty(used.shape[0])
    for i in range(used.shape[0]):
        out[i], off[i] = farthest(used[i]), off_plane(used[i], axes)
    limits[0] = max(_quantile(out, 0.99), 0.5)
    limits[1] = max(_quantile(off, 0.99), 0.5)


@compiled
def surprise_together(deviation: Any, axes: Any, limits: Any, highest: float) -> Any:
    """Surprise of a mean deviation against a reference; NaN for NaN."""
    if deviation[0] != deviation[0]:
        return np.nan
    ratio = max(farthest(deviation) / limits[0], off_plane(deviation, axes) / limits[1])
    if ratio <= 1.0:
        return _AT_LIMIT * ratio
    return min(_AT_LIMIT + _DECADES_PER_DECADE * math.log10(ratio), highest)
