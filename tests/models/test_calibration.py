"""A surprise is -log10 of a frequency: right where it can be counted, careful where it cannot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import LARGEST_SURPRISE, Tail

scores = st.lists(st.floats(-1e12, 1e12) | st.integers(0, 3).map(float), min_size=1, max_size=120)


@given(scores, st.lists(st.floats(-1e13, 1e13), min_size=2, max_size=40))
def test_a_higher_score_is_never_less_surprising(fitted: list[float], asked: list[float]) -> None:
    tail = Tail.fit(fitted)
    surprises = tail.surprise(np.sort(np.array(asked + fitted)))
    assert np.all(np.diff(surprises) >= 0)
    assert np.all((surprises >= 0) & (surprises <= LARGEST_SURPRISE))


@given(scores, st.floats(0.0, LARGEST_SURPRISE))
def test_score_at_is_the_inverse_of_surprise_above_the_threshold(fitted: list[float], surprise: float) -> None:
    tail = Tail.fit(fitted, least_scale=1.0)
    score = tail.score_at(surprise)
    if score > tail.threshold + 1e-6 * max(1.0, abs(tail.threshold)):
        assert tail.surprise(score) == pytest.approx(surprise, abs=1e-3)


@pytest.mark.parametrize("n", [200, 2_000, 50_000])
def test_of_healthy_values_one_in_a_thousand_reaches_three(n: int) -> None:
    random = np.random.default_rng(n)
    shares = []
    for _ in range(20):
        tail = Tail.fit(random.normal(size=n))
        shares.append(np.mean(tail.surprise(random.normal(size=20_000)) >= 3.0))
    # an exponential tail is heavier than a normal one, so it says 3 a little late; never a lot too early
    assert 0.00005 < np.mean(shares) < 0.002


def test_what_was_counted_is_counted_with_one_added() -> None:
    tail = Tail.fit(np.arange(100.0))
    assert tail.surprise(0.0) == 0.0
    assert tail.surprise(50.0) == pytest.approx(-np.log10(51 / 101))
    assert tail.surprise(49.5) == tail.surprise(50.0)


def test_a_short_history_does_not_claim_what_it_cannot_know() -> None:
    tail = Tail.fit(np.random.default_rng(1).normal(size=200))
    assert 1.5 < tail.surprise(3.0) < 3.0


def test_one_wild_score_in_the_history_does_not_hide_the_next() -> None:
    healthy = np.random.default_rng(2).normal(size=200)
    assert Tail.fit(np.append(healthy, 1e6)).surprise(20.0) == LARGEST_SURPRISE


def test_a_flat_history_says_surprising_only_beyond_what_means_anything() -> None:
    tail = Tail.fit(np.full(500, 0.4), least_scale=0.01)
    assert tail.surprise(0.4) == 0.0
    assert tail.surprise(0.41) < 0.5
    assert tail.surprise(0.6) == LARGEST_SURPRISE


def test_of_two_values_the_rarer_is_as_surprising_as_it_is_rare() -> None:
    tail = Tail.fit([1.0] * 475 + [2.0] * 25)
    assert tail.surprise(1.0) == 0.0
    assert 1.0 < tail.surprise(2.0) < 2.5


def test_it_works_on_arrays_of_any_shape_and_on_one_number() -> None:
    tail = Tail.fit(np.arange(50.0))
    made = tail.surprise(np.array([[1.0, 10.0], [48.0, 90.0]]))
    assert made.shape == (2, 2)
    assert isinstance(tail.surprise(48.0), float)
    assert tail.surprise(48.0) == made[1, 0]


def test_scores_that_are_not_finite_are_left_out_and_none_at_all_is_refused() -> None:
    assert Tail.fit([1.0, np.nan, 2.0, np.inf]).count == 2
    with pytest.raises(ValueError, match="finite"):
        Tail.fit([np.nan])
