"""The rolling median in plain Python: the reference that the engine's compiled windows are tested against."""

import math
from bisect import bisect_left, insort
from collections import deque


class RollingMedian:
    """Median of a *trailing* window: of the newest value and those before it, never of values still to come.

    A centred window (pandas' ``rolling(center=True)``) would smooth better, but half of it lies in the future: live,
    its median of a reading is known only half a window later.

    The window is the last ``count`` values, or the values of the last ``span_ms`` (``t - span_ms < time <= t``), or,
    with both, whichever is shorter. A NaN takes its place in the window and is left out of the median.

    >>> rolling = RollingMedian(count=3)
    >>> [rolling.push(t, value) for t, value in enumerate([5.0, 1.0, 3.0, float("nan"), 9.0])]
    [5.0, 3.0, 3.0, 2.0, 6.0]
    """

    def __init__(self, count: int | None = None, span_ms: int | None = None) -> None:
        if count is None and span_ms is None:
            raise ValueError("a window needs a count, a span_ms, or both")
        if (count is not None and count < 1) or (span_ms is not None and span_ms < 1):
            raise ValueError(f"a window holds at least one value: count={count}, span_ms={span_ms}")
        self._count = count
        self._span_ms = span_ms
        self._window: deque[tuple[int, float]] = deque()  # as they came, NaN included
        self._sorted: list[float] = []  # the same without NaN

    def push(self, t_ms: int, value: float) -> float:
        """Take in ``value`` (finite or NaN) measured at ``t_ms``; the median of the window, NaN if all of it is NaN.

        Raises ``ValueError`` when time runs backwards.
        """
        if self._window and t_ms < self._window[-1][0]:
            raise ValueError(f"time runs backwards: {t_ms} ms after {self._window[-1][0]} ms")
        self._window.append((t_ms, value))
        if not math.isnan(value):
            insort(self._sorted, value)
        while self._is_too_old(t_ms):
            _, old = self._window.popleft()
            if not math.isnan(old):
                del self._sorted[bisect_left(self._sorted, old)]
        return self._median()

    def __len__(self) -> int:
        """Values in the window, NaN included."""
        return len(self._window)

    def _is_too_old(self, now_ms: int) -> bool:
        if self._count is not None and len(self._window) > self._count:
            return True
        return self._span_ms is not None and self._window[0][0] <= now_ms - self._span_ms

    def _median(self) -> float:
        if not self._sorted:
            return math.nan
        middle = len(self._sorted) // 2
        if len(self._sorted) % 2:
            return self._sorted[middle]
        return (self._sorted[middle - 1] + self._sorted[middle]) / 2
