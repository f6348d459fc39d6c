"""What is planted in readings is found, where it is and as large as it is; what is not there is not found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.explore.correlation import Lagged, pearson, ranks, spearman
from models.explore.cycles import cycles
from models.explore.daily import daily
from models.explore.frozen import frozen
from models.explore.grid import on_grid
from models.explore.sampling import gaps, sampling
from models.explore.series import Floats, make_series
from models.explore.straight import straight_share
from models.explore.thinning import thinned
from schemas.times import datetime_to_ms

MINUTE_MS = 60_000
DAY_MIN = 1_440
START_MS = 1_767_225_600_000  # 2026-01-01


def minutes(count: int) -> np.ndarray:
    return START_MS + np.arange(count, dtype=np.int64) * MINUTE_MS


def noise(count: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=count)


# -- in order, each moment once


@given(st.permutations(range(12)))
def test_readings_are_the_same_in_whatever_order_they_came(order: list[int]) -> None:
    time_ms, values = minutes(12), np.arange(24.0).reshape(12, 2)
    names = ["casing_pressure", "tubing_pressure"]
    made = make_series("acme", "w", names, time_ms[order], values[order])
    assert made.time_ms.tolist() == time_ms.tolist()
    assert made.signal("load").tolist() == [-1.0] * 12
    assert (made.out_of_order == 0) == (order == sorted(order))


def test_of_two_readings_of_one_moment_the_first_counts() -> None:
    made = make_series("acme", "w", ["flow_rate"], np.array([5, 5, 9, 5]), np.array([[1.0], [2.0], [3.0], [4.0]]))
    assert made.values[:, 0].tolist() == [1.0, 3.0]
    assert (made.repeated, made.out_of_order) == (2, 1)


def test_tags_measured_together_are_one_reading() -> None:
    time_ms = np.repeat(minutes(50), 2) + np.tile([0, 400], 50)
    values = np.full((100, 2), np.nan)
    values[0::2, 0], values[1::2, 1] = 300.0, 100.0
    made = make_series("acme", "w", ["casing_pressure", "tubing_pressure"], time_ms, values)
    assert len(made) == 50
    assert made.signal("load").tolist() == [200.0] * 50


def test_what_is_no_measurement_is_counted_and_not_used() -> None:
    values = np.array([[100.0], [9999.0], [np.inf], [30_000.0], [-999.25], [np.nan]])
    made = make_series("acme", "w", ["casing_pressure"], minutes(6), values)
    assert made.unusable == {"casing_pressure": {"not_finite": 1, "9999": 1, "-999.25": 1, "out_of_range": 1}}
    assert np.isnan(made.values[1:]).all()


# -- time


def test_a_planted_gap_is_found_to_the_minute() -> None:
    time_ms = np.delete(minutes(1000), np.arange(400, 520))
    its = sampling(time_ms)
    assert its is not None
    assert (its.interval_s, round(its.coverage, 3)) == (60.0, 0.88)
    found = gaps(time_ms, its)
    assert (found.count, found.total_s) == (1, 121 * 60)
    assert datetime_to_ms(found.longest[0].start) == START_MS + 399 * MINUTE_MS
    assert found.longest[0].readings == 120


def test_readings_that_come_irregularly_have_no_gaps() -> None:
    steps = np.random.default_rng(1).integers(20, 90, 2000) * 1000
    time_ms = START_MS + np.cumsum(steps)
    assert gaps(time_ms, sampling(time_ms)).count == 0


# -- standing still


@pytest.mark.parametrize(("other_moves", "share"), [(True, 300.0), (False, 0.0)])
def test_a_frozen_stretch_is_found_and_others_tell_whether_it_is_the_gauge(other_moves: bool, share: float) -> None:
    signal, other = 300 + noise(3000), 100 + noise(3000, 1)
    signal[1000:1301] = signal[1000]
    if not other_moves:
        other[1000:1301] = other[1000]
    told, count, moved_ms = frozen(minutes(3000), signal, other[:, None], 3 * MINUTE_MS)
    assert (count, moved_ms) == (1, share * MINUTE_MS)
    assert (datetime_to_ms(told[0].start), told[0].readings) == (START_MS + 1000 * MINUTE_MS, 301)
    assert told[0].others_moved is other_moves


def test_a_deadband_is_no_fault_and_a_closed_valve_s_flow_neither() -> None:
    slow = np.repeat(300 + noise(100), 30)  # stands still for half an hour each time
    flow = np.where(np.arange(3000) // 200 % 2, 0.0, 400 + noise(3000))
    other = noise(3000, 1)[:, None]
    for values in (slow, flow):
        assert frozen(minutes(3000), values, other, 3 * MINUTE_MS)[1] == 0


def test_lines_drawn_with_a_ruler_are_told_from_drift() -> None:
    knots = np.arange(0, 3001, 250)
    ruled = np.interp(np.arange(3000), knots, 600 + 20 * noise(len(knots))).round(3)
    drift = (600 + np.cumsum(noise(3000)) * 0.2).round(3)
    assert (straight_share(ruled, 0.001) or 0) > 0.8
    assert straight_share(drift, 0.001) == 0.0
    assert straight_share(np.full(500, 7.0), 0.0) is None


# -- together

SOME = st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=30, max_size=60)


@given(SOME, st.integers(0, 2**32 - 1))
def test_correlations_are_those_of_scipy(x: list[float], seed: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    a, b = np.array(x), np.random.default_rng(seed).integers(0, 9, len(x)).astype(float)
    assert ranks(a) == pytest.approx(stats.rankdata(a) - 1)
    if np.ptp(a) > 1e-3 and np.ptp(b) > 0:
        assert pearson(a, b) == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-6)
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)


def test_a_signal_that_never_moves_correlates_with_nothing() -> None:
    assert pearson(np.full(50, 0.1), noise(50)) is None
    assert spearman(np.full(50, 0.1), noise(50)) is None
    assert Lagged(np.column_stack((np.full(500, 0.1), noise(500))), 20).best(0, 1) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(-40, 40), st.floats(0.0, 0.4), st.sampled_from([1.0, -1.0]), st.integers(0, 99))
def test_a_planted_lag_is_found_whatever_is_missing(lag: int, gone: float, sign: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    source = rng.normal(size=1100)
    grid = np.column_stack((source[50:1050], sign * source[50 - lag : 1050 - lag] + 0.3 * rng.normal(size=1000)))
    grid[rng.random(grid.shape) < gone] = np.nan
    found = Lagged(grid, 60).best(0, 1)
    assert found is not None
    assert found[0] == lag
    shifted = np.roll(grid[:, 1], -lag)
    both = np.arange(max(0, -lag), 1000 - max(0, lag))
    assert found[1] == pytest.approx(pearson(grid[both, 0], shifted[both]), abs=1e-9)


def test_seven_minutes_later_is_told_with_its_sign() -> None:
    source = np.cumsum(noise(3007))
    grid, cell_ms = on_grid(minutes(3000), np.column_stack((source[7:], source[:-7])), MINUTE_MS)
    found = Lagged(grid, 120).best(0, 1)
    assert found is not None
    assert (found[0] * cell_ms, round(found[1], 6)) == (7 * MINUTE_MS, 1.0)


# -- again and again


def plunger(length_min: float, count: int, seed: int = 0) -> Floats:
    """A saw with jitter and noise: shut in it rises, flowing it falls."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum(length_min * rng.uniform(0.85, 1.15, int(count / length_min * 1.5) + 9))
    at = np.arange(count, dtype=float)
    begun = np.concatenate(([0.0], ends))[np.searchsorted(ends, at, side="right")]
    phase = (at - begun) / length_min
    return (
        200
        + 100 * np.where(phase < 0.7, phase / 0.7, np.maximum(0.0, 1 - (phase - 0.7) / 0.2))
        + rng.normal(size=count)
    )


@settings(max_examples=25, deadline=None)
@given(st.floats(20, 300), st.integers(0, 99))
def test_cycles_are_counted_at_their_length(length_min: float, seed: int) -> None:
    its = cycles(minutes(6000), plunger(length_min, 6000, seed), "casing_pressure", 3 * MINUTE_MS)
    assert its is not None
    assert its.median_min == pytest.approx(length_min, rel=0.1)
    assert its.count == pytest.approx(6000 / length_min, rel=0.12, abs=2)


def test_ninety_minutes_through_drift_a_rest_and_a_gap() -> None:
    values = plunger(90, 8000) + np.linspace(0, 400, 8000)
    values[3000:4000] = values[2999] + noise(1000)  # shut in
    keep = np.delete(np.arange(8000), np.arange(6000, 6500))
    its = cycles(minutes(8000)[keep], values[keep], "load", 3 * MINUTE_MS)
    assert its is not None
    assert its.median_min == pytest.approx(90, rel=0.05)
    assert (its.longest.end - its.longest.start).total_seconds() / 60 == pytest.approx(1045, abs=100)


@pytest.mark.parametrize("seed", range(8))
def test_what_only_rustles_or_wanders_has_no_cycles(seed: int) -> None:
    rustling, step = noise(6000, seed), noise(6000, seed + 50)
    sluggish = np.zeros(6000)
    for place in range(1, 6000):
        sluggish[place] = 0.95 * sluggish[place - 1] + step[place]
    for values in (rustling, sluggish, np.cumsum(step), np.full(6000, 3.0)):
        assert cycles(minutes(6000), values, "load", 3 * MINUTE_MS) is None


def test_what_every_day_repeats_is_found_and_chance_is_not() -> None:
    count = 14 * DAY_MIN
    hour = (np.arange(count) // 60) % 24
    heated = 100 + np.cumsum(noise(count)) * 0.01 + 5 * np.cos((hour - 15) / 24 * 2 * np.pi) + noise(count, 1)
    its = daily(minutes(count), heated)
    assert its is not None
    assert its.strength > 0.8
    assert its.peak_hour in (14, 15, 16)
    assert its.amplitude == pytest.approx(10, rel=0.1)
    for seed in range(5):
        by_chance = daily(minutes(count), noise(count, seed))
        assert by_chance is not None
        assert by_chance.strength < 0.15
    assert daily(minutes(2 * DAY_MIN), heated[: 2 * DAY_MIN]) is None


# -- drawn


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=300), st.integers(1, 40))
def test_a_thinned_line_keeps_its_peaks_and_its_order(values: list[float], columns: int) -> None:
    v = np.array(values)
    t, kept = thinned(np.arange(len(v)), v, 0, len(v) - 1, columns)
    assert len(kept) <= 2 * columns
    assert (np.diff(t) > 0).all()
    assert np.array_equal(kept, v[t])
    if not np.isnan(v).all():
        assert (kept.min(), kept.max()) == (np.nanmin(v), np.nanmax(v))
