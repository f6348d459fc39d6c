"""The rolling median of the engine is numpy's, whatever comes in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.window import medians_of_history
from models.stacks import LoadStack, Window
from models.windows import RollingMedian
from tests.models.engines import R, batch_of, new_engine

PRESSURE = st.one_of(
    st.none(), st.integers(-20, 20).map(float), st.floats(-15, 20_000, allow_nan=False, allow_infinity=False)
)
GAPS = st.integers(1, 5)


def stack_with(window: Window) -> LoadStack:
    class Windowed(LoadStack):
        pass

    Windowed.window = window
    return Windowed()


@settings(deadline=None, max_examples=60)
@given(
    readings=st.lists(st.tuples(GAPS, PRESSURE, PRESSURE), min_size=1, max_size=120),
    count=st.integers(3, 50),
    span_minutes=st.one_of(st.none(), st.integers(1, 60)),
)
def test_the_median_equals_numpys_of_the_trailing_window_on_every_step(
    readings: list[tuple[int, float | None, float | None]], count: int, span_minutes: int | None
) -> None:
    engine = new_engine([stack_with(Window(count, None if span_minutes is None else span_minutes * 60.0))])
    minutes = np.cumsum([gap for gap, _, _ in readings])
    batch = batch_of(engine, [R(float(m), c, t) for m, (_, c, t) in zip(minutes, readings, strict=True)])
    verdicts = engine.step(batch)["load"]
    loads = np.array([np.nan if c is None or t is None else c - t for _, c, t in readings])
    loads[np.isnan(verdicts.feature[:, 0])] = np.nan  # a sentinel among the drawn values
    for i in range(len(readings)):
        first = max(0, i - count + 1)
        if span_minutes is not None:
            first = max(first, int(np.searchsorted(minutes, minutes[i] - span_minutes, side="right")))
        window = loads[first : i + 1]
        expected = np.nan if np.isnan(window).all() else np.nanmedian(window)
        np.testing.assert_equal(verdicts.median[i, 0], expected)


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.one_of(st.just(np.nan), st.integers(-5, 5).map(float), st.floats(-1e6, 1e6)), max_size=100),
    count=st.integers(3, 40),
)
def test_medians_of_a_whole_history_equal_the_ones_taken_live(values: list[float], count: int) -> None:
    live = RollingMedian(count=count)
    expected = [live.push(60_000 * i, value) for i, value in enumerate(values)]
    made = np.empty(len(values))
    medians_of_history(60_000 * np.arange(len(values)), np.array(values, float), count, 0, made)
    np.testing.assert_equal(made, expected)


def test_a_window_of_two_readings_is_refused() -> None:
    from models.stacks import check_stack
    from schemas.errors import BadSettings

    with pytest.raises(BadSettings, match="at least 3"):
        check_stack(stack_with(Window(2)))
