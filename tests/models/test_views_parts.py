"""The parts of the views against plain numpy: nearest neighbours, tallies, the reference of all signals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.views.axes import principal_axes
from models.engine.views.nearest import insert, nearest, replace
from models.engine.views.tally import BINS, HIGHEST, RAW_ENDS, TABLE_STEPS, raw_bin, tabulate
from models.engine.views.together import distance, make_reference, slow_means, surprise_together

_VALUES = st.lists(st.integers(-50, 50).map(float), min_size=5, max_size=60)


@settings(deadline=None, max_examples=60)
@given(values=_VALUES, x=st.integers(-60, 60).map(float), neighbour=st.integers(1, 4))
def test_the_distance_to_the_nth_nearest_neighbour_is_that_of_numpy(
    values: list[float], x: float, neighbour: int
) -> None:
    row = np.sort(np.array(values, np.float32))
    expected = np.sort(np.abs(row - np.float32(x)))[neighbour - 1]
    assert nearest(row, len(row), np.float32(x), neighbour) == expected


@settings(deadline=None, max_examples=60)
@given(values=_VALUES, more=_VALUES)
def test_a_sorted_history_stays_sorted_as_values_come_and_go(values: list[float], more: list[float]) -> None:
    row = np.zeros(len(values), np.float32)
    for length, value in enumerate(values):
        insert(row, length, np.float32(value))
    assert row.tolist() == sorted(values)
    kept = list(values)
    for at, value in enumerate(more):
        replace(row, len(row), np.float32(kept[at % len(kept)]), np.float32(value))
        kept[at % len(kept)] = value
        assert row.tolist() == sorted(kept)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(12, 5000))
def test_a_tally_s_surprise_rises_with_the_score_and_never_beyond_what_its_length_can_tell(
    seed: int, count: int
) -> None:
    counts, table = np.zeros(BINS, np.float32), np.zeros(BINS, np.uint8)
    for score in np.abs(np.random.default_rng(seed).normal(size=count)):
        counts[raw_bin(score)] += 1
    tabulate(counts, RAW_ENDS, table)
    surprises = table / TABLE_STEPS
    assert np.all(np.diff(surprises) >= 0)
    assert surprises[-1] <= min(HIGHEST, np.log10(count + 1) + 1.5) + 1 / TABLE_STEPS


def test_within_what_was_seen_a_surprise_is_the_share_of_scores_that_high() -> None:
    scores = np.abs(np.random.default_rng(1).normal(size=20_000))
    counts, table = np.zeros(BINS, np.float32), np.zeros(BINS, np.uint8)
    for score in scores:
        counts[raw_bin(score)] += 1
    tabulate(counts, RAW_ENDS, table)
    for score in (0.5, 1.0, 2.0):
        share = (scores >= score).mean()
        assert table[raw_bin(score)] / TABLE_STEPS == pytest.approx(
            -np.log10(share), abs=0.35
        )  # classes are a third of an octave wide


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_principal_axes_are_those_of_numpy(d: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(12, d))
    matrix = rows.T @ rows
    variances, axes = principal_axes(matrix)
    assert variances == pytest.approx(np.linalg.eigvalsh(matrix), rel=1e-9, abs=1e-9)
    assert axes @ np.diag(variances) @ axes.T == pytest.approx(matrix, rel=1e-9, abs=1e-9)
    assert axes.T @ axes == pytest.approx(np.eye(d), abs=1e-12)


def test_axes_that_have_nothing_in_common_stay_and_those_with_all_in_common_become_one() -> None:
    variances, axes = principal_axes(np.diag([3.0, 1.0]))
    assert (variances.tolist(), np.abs(axes).tolist()) == ([1.0, 3.0], [[0.0, 1.0], [1.0, 0.0]])
    variances, _ = principal_axes(np.ones((3, 3)))
    assert variances == pytest.approx([0.0, 0.0, 3.0], abs=1e-12)


def test_the_reference_s_distance_is_mahalanobis_s_where_no_axis_is_flat() -> None:
    rng = np.random.default_rng(2)
    rows = rng.multivariate_normal([10.0, -3.0], [[4.0, 1.5], [1.5, 2.0]], 4000)
    centre, scale, axes = np.zeros(2), np.ones(2), np.zeros((2, 2))
    limit = make_reference(rows, centre, scale, axes)
    inverse = np.linalg.inv(np.cov(rows.T, bias=True))
    for row in rows[:20]:
        away = row - np.median(rows, axis=0)
        assert distance(row, centre, scale, axes) == pytest.approx(np.sqrt(away @ inverse @ away / 2), rel=0.02)
    reached = [distance(row, centre, scale, axes) for row in rows]
    assert limit == pytest.approx(np.quantile(reached, 0.99), rel=0.02)


def test_a_hundredth_of_the_reference_has_a_surprise_of_two_and_each_tenfold_so_many_decades_more() -> None:
    assert surprise_together(3.0, 3.0, 0.7, HIGHEST) == 2.0
    assert surprise_together(30.0, 3.0, 0.7, HIGHEST) == pytest.approx(2.7)
    assert surprise_together(3e30, 3.0, 0.7, HIGHEST) == HIGHEST


def test_a_slow_mean_follows_a_step_by_its_memory() -> None:
    slow, out = np.zeros(2), np.empty(2)
    slow_means(np.array([10.0]), 0, -1, 600_000, slow, out)
    assert out[0] == 10.0
    for minute in range(1, 11):
        slow_means(np.array([20.0]), 60_000 * minute, 60_000 * (minute - 1), 600_000, slow, out)
    assert out[0] == pytest.approx(20.0 - 10.0 / np.e, rel=1e-6)
