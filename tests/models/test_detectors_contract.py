"""What every detector promises, whatever is inside it."""

import copy
import math
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calibration import LARGEST_SURPRISE
from models.detectors import ONLINE, Detector, ForestDetector, OnlineDetector
from models.fitting import FitParameters, fit_model
from schemas.errors import StateError

EPOCH = 64  # shorter than life, so that tests are quick


def online(name: str) -> Callable[[np.ndarray], Detector]:
    def trained(history: np.ndarray) -> Detector:
        detector = OnlineDetector(ONLINE[name], EPOCH, name)
        for x in history:
            detector.learn(float(x))
        return detector

    return trained


def forest(history: np.ndarray) -> Detector:
    fitted = fit_model(["load"], [history], FitParameters(trees=30, samples_per_tree=64), seed=1)
    return ForestDetector(fitted.features[0])


#: For each detector how to make one that knows a history.
TRAINED: dict[str, Callable[[np.ndarray], Detector]] = {"isolation_forest": forest} | {n: online(n) for n in ONLINE}

HISTORIES = {
    "smooth": np.random.default_rng(1).normal(250.0, 5.0, 3 * EPOCH + 10),
    "flat": np.full(2 * EPOCH, 250.0),
    "zero": np.zeros(2 * EPOCH),
    "two values": np.tile([100.0, 101.0], EPOCH),
    "one odd one": np.append(np.full(2 * EPOCH, 250.0), 251.0),
    "huge": np.random.default_rng(2).normal(0.0, 1e37, 2 * EPOCH),
    "tiny": np.random.default_rng(3).normal(0.0, 1e-30, 2 * EPOCH),
    "a trend": np.linspace(0.0, 1000.0, 3 * EPOCH),
}


def surprise(detector: Detector, x: float) -> float | None:
    score = detector.score(x)
    return None if score is None else detector.surprise(x, score)


every = pytest.mark.parametrize("name", TRAINED)
every_online = pytest.mark.parametrize("name", ONLINE)


@every
def test_asking_for_a_score_changes_nothing(name: str) -> None:
    detector = TRAINED[name](HISTORIES["smooth"])
    asked = [250.0, 1e6, -1e6, math.nan, 250.0, 244.0]
    first = [(detector.score(x), surprise(detector, x)) for x in asked]
    assert [(detector.score(x), surprise(detector, x)) for x in asked] == first
    twin = TRAINED[name](HISTORIES["smooth"])
    for x in (251.0, 260.0):
        detector.learn(x)
        twin.learn(x)  # never asked
    assert [detector.score(x) for x in asked] == [twin.score(x) for x in asked]


@every
@pytest.mark.parametrize("history", HISTORIES)
def test_scores_are_finite_and_surprises_between_0_and_6_on_any_history(name: str, history: str) -> None:
    detector = TRAINED[name](HISTORIES[history])
    for x in (*HISTORIES[history][:5], 0.0, -0.0, 1.0, 250.0, 250.1, -1e30, 1e38):
        score = detector.score(float(x))
        assert score is not None
        assert math.isfinite(score)
        assert 0.0 <= detector.surprise(float(x), score) <= LARGEST_SURPRISE


@every
def test_nan_has_no_score_and_teaches_nothing(name: str) -> None:
    detector, twin = TRAINED[name](HISTORIES["smooth"]), TRAINED[name](HISTORIES["smooth"])
    assert detector.score(math.nan) is None
    assert surprise(detector, math.nan) is None
    for _ in range(3):
        detector.learn(math.nan)
    assert [detector.score(x) for x in (240.0, 250.0)] == [twin.score(x) for x in (240.0, 250.0)]


@every
@pytest.mark.parametrize("outlier", [150.0, 350.0])
def test_an_obvious_outlier_scores_higher_than_what_is_usual_and_surprises(name: str, outlier: float) -> None:
    detector = TRAINED[name](HISTORIES["smooth"])
    usual = [detector.score(x) for x in (247.0, 250.0, 253.0)]
    assert detector.score(outlier) > max(usual)  # type: ignore[operator, type-var]
    assert surprise(detector, outlier) > 3.0  # type: ignore[operator]
    assert np.median([surprise(detector, x) for x in (247.0, 250.0, 253.0)]) < 1.0  # type: ignore[arg-type]


@every
def test_further_outside_is_never_less_surprising(name: str) -> None:
    detector = TRAINED[name](HISTORIES["smooth"])
    for side in (-1.0, 1.0):
        surprises = [surprise(detector, 250.0 + side * far) for far in (30, 40, 60, 100, 1e3, 1e6, 1e30)]
        assert surprises == sorted(surprises)  # type: ignore[type-var]


@every
@pytest.mark.parametrize("history", ["flat", "one odd one"])
def test_a_hair_beside_a_flat_signal_is_no_anomaly_and_far_beside_it_is(name: str, history: str) -> None:
    detector = TRAINED[name](HISTORIES[history])
    assert surprise(detector, 250.1) < 3.0  # type: ignore[operator]
    assert surprise(detector, 300.0) > 3.0  # type: ignore[operator]


@every
def test_two_values_are_both_usual(name: str) -> None:
    detector = TRAINED[name](HISTORIES["two values"])
    assert max(surprise(detector, 100.0), surprise(detector, 101.0)) < 2.0  # type: ignore[type-var]


@every
def test_the_same_history_makes_the_same_detector_to_the_letter(name: str) -> None:
    asked = np.linspace(200.0, 300.0, 50)
    first, second = TRAINED[name](HISTORIES["smooth"]), TRAINED[name](HISTORIES["smooth"])
    assert [first.score(x) for x in asked] == [second.score(x) for x in asked]


@every
def test_memory_does_not_grow_with_what_is_learnt(name: str) -> None:
    detector = TRAINED[name](HISTORIES["smooth"])
    random = np.random.default_rng(4)

    def learn(epochs: int) -> int:
        for x in random.normal(250.0, 5.0, epochs * EPOCH):
            detector.score(float(x))
            detector.learn(float(x))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = learn(3)
        after = learn(9)
    finally:
        tracemalloc.stop()
    assert after - before < 50_000


@every
def test_it_says_its_name(name: str) -> None:
    assert TRAINED[name](HISTORIES["smooth"]).name == name


@every_online
def test_a_cold_detector_says_none_until_its_first_epoch_is_whole(name: str) -> None:
    detector = OnlineDetector(ONLINE[name], EPOCH)
    for x in HISTORIES["smooth"][: EPOCH - 1]:
        detector.learn(float(x))
        assert detector.score(250.0) is None
    with pytest.raises(ValueError, match="cold"):
        detector.surprise(250.0, 1.0)
    detector.learn(250.0)
    assert detector.score(250.0) is not None


@every_online
def test_infinities_and_what_no_gauge_can_show_are_left_out(name: str) -> None:
    detector = OnlineDetector(ONLINE[name], EPOCH)
    for x in (math.inf, -math.inf, 1e39):
        detector.learn(x)
        assert detector.score(x) is None
    assert detector.count == 0


@every_online
@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6) | st.integers(0, 3).map(float) | st.just(math.nan), min_size=20, max_size=60),
    st.integers(0, 200),
    st.integers(0, 5),
)
def test_made_again_from_its_newest_values_it_goes_on_to_the_letter(
    name: str, pattern: list[float], cut: int, further: int
) -> None:
    values = (pattern * 15)[:240]
    epoch = 32
    original = OnlineDetector(ONLINE[name], epoch)
    for x in values[:cut]:
        original.learn(x)
    learnt = [x for x in values[:cut] if not math.isnan(x)]
    assert original.count == len(learnt)
    assert original.needed_history <= 2 * epoch - 1
    kept = learnt[max(0, len(learnt) - original.needed_history - further) :]  # more than is needed does no harm
    restored = OnlineDetector.restore(ONLINE[name], kept, original.count, epoch)
    for x in values[cut:]:
        assert restored.score(x) == original.score(x)
        assert surprise(restored, x) == surprise(original, x)
        original.learn(x)
        restored.learn(x)
    assert restored.count == original.count


@every_online
def test_too_short_a_history_is_refused_and_not_guessed(name: str) -> None:
    with pytest.raises(StateError, match="needs the last 74"):
        OnlineDetector.restore(ONLINE[name], [1.0] * 73, 3 * EPOCH + 10, EPOCH)


@every_online
def test_it_forgets_what_was_usual_long_ago(name: str) -> None:
    random = np.random.default_rng(6)
    detector = online(name)(np.concatenate((random.normal(0, 1, 2 * EPOCH), random.normal(100, 1, 2 * EPOCH))))
    assert surprise(detector, 100.0) < 2.0  # type: ignore[operator]
    assert surprise(detector, 0.0) > 3.0  # type: ignore[operator]


def test_an_epoch_too_short_to_calibrate_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        OnlineDetector(ONLINE["half_space_trees"], 7)


def test_a_copied_detector_shares_nothing_with_its_original() -> None:
    original = online("half_space_trees")(HISTORIES["smooth"])
    twin = copy.deepcopy(original)
    before = original.score(260.0)
    for _ in range(40):
        twin.learn(260.0)
    assert original.score(260.0) == before
