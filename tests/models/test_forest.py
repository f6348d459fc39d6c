"""The compiled forest is scikit-learn's, to the last bit, wherever one looks."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.forest import IntervalLookup, compile_forest, fit_forest, to_float32

RANDOM = np.random.default_rng(5)
HISTORIES = {
    "smooth": RANDOM.normal(250.0, 5.0, 600),
    "quantised": RANDOM.integers(90, 110, 500).astype(float),
    "two values": np.repeat([100.0, 101.0], 60),
    "flat": np.full(50, 250.0),
    "one value": np.array([3.0]),
    "two": np.array([3.0, 4.0]),
    "huge": RANDOM.normal(0.0, 1e37, 300),
    "tiny": RANDOM.normal(0.0, 1e-40, 300),  # float32 has only subnormal numbers there
    "around zero": np.concatenate((np.linspace(-1, 1, 101), [-0.0])),
    "heavy tail": RANDOM.standard_cauchy(400),
}


@cache
def forest(name: str):  # type: ignore[no-untyped-def]
    fitted = fit_forest(HISTORIES[name], trees=20, samples_per_tree=128, seed=3)
    return fitted, compile_forest(fitted)


def scikit_learn(fitted, x: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    return -fitted.score_samples(np.asarray(x, dtype=np.float32).reshape(-1, 1))


@pytest.mark.parametrize("name", HISTORIES)
def test_at_below_and_above_each_edge_the_score_is_the_forests(name: str) -> None:
    fitted, lookup = forest(name)
    edges = lookup.edges
    largest = np.finfo(np.float32).max
    x = np.concatenate(
        (
            edges,
            np.nextafter(edges, np.float32(-math.inf)),
            np.nextafter(edges, np.float32(math.inf)),
            to_float32(HISTORIES[name]),
            np.array([0.0, -0.0, largest, -largest, 1e-45, -1e-45, math.inf, -math.inf], dtype=np.float32),
        )
    )
    np.testing.assert_array_equal(lookup.score_all(x), scikit_learn(fitted, x))
    assert [lookup.score(float(v)) for v in x[:50]] == [scikit_learn(fitted, v)[0] for v in x[:50]]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(HISTORIES)), st.lists(st.floats(allow_nan=False, width=64), min_size=1, max_size=20))
def test_any_number_scores_as_in_the_forest(name: str, x: list[float]) -> None:
    fitted, lookup = forest(name)
    np.testing.assert_array_equal(lookup.score_all(x), scikit_learn(fitted, to_float32(x)))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-1e30, 1e30) | st.integers(-3, 3).map(float), min_size=1, max_size=60),
    st.integers(0, 2**70),
)
def test_any_history_can_be_compiled(history: list[float], seed: int) -> None:
    fitted = fit_forest(history, trees=5, samples_per_tree=16, seed=seed)
    lookup = compile_forest(fitted)
    assert np.all(np.diff(lookup.edges) > 0)
    assert len(lookup.scores) == len(lookup.edges) + 1
    x = np.concatenate((to_float32(history), lookup.edges))
    np.testing.assert_array_equal(lookup.score_all(x), scikit_learn(fitted, x))


def test_higher_is_more_anomalous_and_lies_between_0_and_1() -> None:
    _, lookup = forest("smooth")
    assert lookup.score(400.0) > lookup.score(262.0) > lookup.score(250.0)
    assert lookup.scores.min() > 0.0
    assert lookup.scores.max() <= 1.0


@pytest.mark.parametrize("digits", [1, 2, 3, 6])
def test_rounding_changes_no_score_by_more_than_it_says_and_merges_equal_neighbours(digits: int) -> None:
    _, lookup = forest("smooth")
    rounded = lookup.rounded(digits)
    x = np.concatenate((lookup.edges, [-1e9, 1e9]))
    np.testing.assert_array_equal(rounded.score_all(x), np.round(lookup.score_all(x), digits))
    assert np.all(np.diff(rounded.scores) != 0)
    assert len(rounded.scores) <= len(lookup.scores)


def test_the_same_seed_gives_the_same_forest_and_another_another() -> None:
    def compiled(seed: int) -> IntervalLookup:
        return compile_forest(fit_forest(HISTORIES["smooth"], 10, 64, seed))

    np.testing.assert_array_equal(compiled(1).edges, compiled(1).edges)
    assert not np.array_equal(compiled(1).edges, compiled(2).edges)
