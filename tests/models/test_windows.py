"""The rolling median is numpy's, of the trailing window, at every step."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.windows import RollingMedian

values = st.one_of(st.just(math.nan), st.floats(-1e6, 1e6), st.sampled_from([0.0, -0.0, 1.0, 1.0, 2.0]))


def nanmedian(window: list[float]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy warns when all are NaN
        return float(np.nanmedian(window)) if window else math.nan


@given(st.lists(values, max_size=80), st.integers(1, 12))
def test_over_a_count_it_equals_nanmedian_of_the_trailing_window(pushed: list[float], count: int) -> None:
    rolling = RollingMedian(count=count)
    for i, value in enumerate(pushed):
        expected = nanmedian(pushed[max(0, i + 1 - count) : i + 1])
        assert np.array_equal(rolling.push(i, value), expected, equal_nan=True)
        assert len(rolling) == min(i + 1, count)


@given(st.lists(st.tuples(st.integers(0, 40), values), max_size=80), st.integers(1, 100), st.none() | st.integers(1, 9))
def test_over_a_span_it_equals_nanmedian_of_what_is_younger_than_the_span(
    steps: list[tuple[int, float]], span_ms: int, count: int | None
) -> None:
    rolling = RollingMedian(count=count, span_ms=span_ms)
    seen: list[tuple[int, float]] = []
    now = 0
    for step, value in steps:
        now += step
        seen.append((now, value))
        window = [v for t, v in seen if t > now - span_ms]
        if count is not None:
            window = window[-count:]
        assert np.array_equal(rolling.push(now, value), nanmedian(window), equal_nan=True)


def test_a_window_of_nothing_but_nan_gives_nan_and_then_recovers() -> None:
    rolling = RollingMedian(count=2)
    assert [rolling.push(t, v) for t, v in enumerate([4.0, math.nan])] == [4.0, 4.0]
    assert math.isnan(rolling.push(2, math.nan))
    assert rolling.push(3, 7.0) == 7.0


def test_it_knows_nothing_of_the_future_and_so_lags_a_step_by_half_a_window() -> None:
    rolling = RollingMedian(count=5)
    medians = [rolling.push(t, 0.0 if t < 10 else 1.0) for t in range(20)]
    assert medians.index(1.0) == 12


def test_time_that_runs_backwards_is_refused() -> None:
    rolling = RollingMedian(span_ms=1000)
    rolling.push(5000, 1.0)
    with pytest.raises(ValueError, match="backwards"):
        rolling.push(4999, 1.0)


@pytest.mark.parametrize("window", [{}, {"count": 0}, {"span_ms": 0}])
def test_a_window_that_can_hold_nothing_is_refused(window: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="window"):
        RollingMedian(**window)
