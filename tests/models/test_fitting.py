"""From a history to a model that knows what is usual and goes on being surprised outside of it."""

import math
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calibration import LARGEST_SURPRISE
from models.fitting import FLEET_VALUES, FitParameters, digest_of, fit_fleet, fit_model
from models.forest import fit_forest, to_float32
from models.spreads import robust_spread, spread_floor
from schemas.training import FeatureModel

QUICK = FitParameters(trees=20, samples_per_tree=64)
NORMAL = np.random.default_rng(7).normal(250.0, 5.0, 1000)


def surprise(model: FeatureModel, x: float) -> float:
    return model.surprises[int(np.searchsorted(np.array(model.edges, dtype=np.float32), to_float32(x)))]


def score(model: FeatureModel, x: float) -> float:
    return model.scores[int(np.searchsorted(np.array(model.edges, dtype=np.float32), to_float32(x)))]


def one(values: object, parameters: FitParameters = QUICK) -> FeatureModel:
    return fit_model(["load"], [values], parameters, seed=1).features[0]  # type: ignore[list-item]


histories = st.lists(
    st.floats(-1e30, 1e30) | st.integers(-3, 3).map(float) | st.floats(allow_nan=True), min_size=1, max_size=60
).filter(lambda history: bool(np.isfinite(to_float32(history)).any()))


@settings(max_examples=40, deadline=None)
@given(histories)
def test_any_history_gives_a_model_that_keeps_its_contract(history: list[float]) -> None:
    model = one(history, FitParameters(trees=5, samples_per_tree=16))
    assert len(model.scores) == len(model.surprises) == len(model.edges) + 1
    assert np.all(np.isfinite(model.edges + model.scores + model.surprises))
    assert np.array_equal(np.array(model.edges), np.array(model.edges, dtype=np.float32))  # exact in float32
    assert np.all(np.diff(np.array(model.edges, dtype=np.float32)) > 0)
    assert 0 <= min(model.surprises) <= max(model.surprises) <= LARGEST_SURPRISE
    assert model.expected_low < model.expected_high
    pairs = list(zip(model.scores, model.surprises, strict=True))
    assert all(a != b for a, b in pairwise(pairs))
    assert FeatureModel.model_validate_json(model.model_dump_json()) == model


@settings(max_examples=40, deadline=None)
@given(histories, st.sampled_from([-1.0, 1.0]))
def test_outside_of_what_was_seen_surprise_never_falls_on_the_way_out(history: list[float], side: float) -> None:
    model = one(history, FitParameters(trees=5, samples_per_tree=16))
    seen = np.array([x for x in history if np.isfinite(to_float32(x))])
    end = float(np.max(side * seen))
    reach = max(1.0, abs(end), float(np.ptp(seen)))
    # half a float32 step beyond the end, so that it is outside also after rounding
    way = [side * (end + 1e-6 * abs(end) + reach * 10.0**k) for k in np.linspace(-4, 3, 30)]
    surprises = [surprise(model, x) for x in way]
    assert surprises == sorted(surprises)


def test_far_outside_nothing_is_more_surprising_while_the_raw_score_stays_the_forests() -> None:
    fitted = fit_model(["load"], [NORMAL], QUICK, seed=1)
    model, forest = fitted.features[0], fitted.forests[0]
    for x in (0.0, 150.0, 200.0, 240.0, 250.0, 270.0, 400.0, 1e20):
        expected = round(float(-forest.score_samples(np.array([[np.float32(x)]]))[0]), QUICK.score_digits)
        assert score(model, x) == expected
    assert surprise(model, 0.0) == surprise(model, 500.0) == LARGEST_SURPRISE
    assert surprise(model, 250.0) < 0.7
    assert surprise(model, 250.0 + 6 * 5) > 3.0
    assert surprise(model, 250.0 - 6 * 5) > 3.0


def test_healthy_values_of_the_same_machine_are_hardly_ever_anomalous() -> None:
    model = one(NORMAL, FitParameters())
    new = np.random.default_rng(8).normal(250.0, 5.0, 5000)
    assert np.mean([surprise(model, x) >= 3.0 for x in new]) < 0.003


def test_between_two_clusters_a_value_that_never_came_is_rarer_than_both() -> None:
    random = np.random.default_rng(9)
    model = one(np.concatenate((random.normal(100, 2, 500), random.normal(300, 2, 500))), FitParameters())
    assert surprise(model, 200.0) > max(surprise(model, 100.0), surprise(model, 300.0))


def test_a_tiny_change_on_a_flat_signal_is_no_surprise_and_a_large_one_is() -> None:
    model = one(np.full(300, 250.0))
    assert surprise(model, 250.0) == 0.0
    assert surprise(model, 250.1) < 0.5
    assert surprise(model, 260.0) == LARGEST_SURPRISE
    assert model.expected_low == 249.75
    assert model.expected_high == 250.25


def test_one_step_of_quantisation_is_no_surprise() -> None:
    model = one(np.repeat([100.0, 101.0], 200))
    assert surprise(model, 102.0) < 1.5
    assert surprise(model, 99.0) < 1.5
    assert surprise(model, 120.0) == LARGEST_SURPRISE


def test_the_usual_band_holds_nearly_all_of_the_history() -> None:
    model = one(NORMAL)
    inside = np.mean([model.expected_low < x < model.expected_high for x in NORMAL])
    assert 0.985 < inside < 1.0


def test_a_fault_in_the_history_stays_as_rare_as_it_was_and_does_not_hide_a_worse_one() -> None:
    model = one(np.append(NORMAL, [400.0, 401.0]), FitParameters())
    assert surprise(model, 400.0) > 2.4  # twice in a thousand
    assert surprise(model, 450.0) > 3.0


def test_the_same_request_gives_the_same_digest_and_any_change_another() -> None:
    first = fit_model(["load"], [NORMAL], QUICK, seed=1)
    assert first.digest == fit_model(["load"], [NORMAL.tolist()], QUICK, seed=1).digest
    others = [
        fit_model(["load"], [NORMAL], QUICK, seed=2),
        fit_model(["flow"], [NORMAL], QUICK, seed=1),
        fit_model(["load"], [NORMAL[:-1]], QUICK, seed=1),
        fit_model(["load"], [NORMAL], FitParameters(trees=20, samples_per_tree=64, score_digits=3), seed=1),
    ]
    assert len({first.digest, *(other.digest for other in others)}) == 5
    assert len(first.digest) == 16


def test_a_digest_survives_the_way_through_json() -> None:
    fitted = fit_model(["load"], [NORMAL], QUICK, seed=1)
    read = [FeatureModel.model_validate_json(model.model_dump_json()) for model in fitted.features]
    assert digest_of(read) == fitted.digest


def test_several_features_may_have_histories_of_different_length() -> None:
    fitted = fit_model(["a", "b"], [NORMAL, np.append(NORMAL[:10], math.nan)], QUICK, seed=1)
    assert [model.feature for model in fitted.features] == ["a", "b"]
    assert fitted.readings == 1000
    assert len(fitted.forests) == 2


def test_a_feature_without_a_finite_median_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'flow'"):
        fit_model(["load", "flow"], [NORMAL, [math.nan, math.inf, 1e39]], QUICK, seed=1)


def test_a_fleets_model_is_in_units_of_each_machines_own_spread() -> None:
    random = np.random.default_rng(3)
    machines = [[random.normal(centre, spread, 400)] for centre, spread in ((100, 1), (900, 50), (-20, 0.1))]
    model = fit_fleet(["load"], machines, FitParameters(), seed=1).features[0]
    assert surprise(model, 0.0) < 0.7
    assert surprise(model, 7.0) > 3.0
    assert -3.5 < model.expected_low < -2.0
    assert 2.0 < model.expected_high < 3.5


def test_each_machine_weighs_the_same_in_its_fleet_however_long_its_history() -> None:
    random = np.random.default_rng(3)
    machines = [[random.normal(0, 1, n)] for n in (200, 2000)]
    assert fit_fleet(["load"], machines, QUICK, seed=1).readings == 400


def test_a_large_fleet_is_thinned_out() -> None:
    machines = [[NORMAL] for _ in range(50)]
    assert fit_fleet(["load"], machines, FitParameters(trees=5), seed=1).readings == FLEET_VALUES


def test_a_fleet_of_none_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one machine"):
        fit_fleet(["load"], [], QUICK, seed=1)


def test_a_fit_is_quick_and_its_look_up_small() -> None:
    history = np.random.default_rng(4).normal(250.0, 5.0, 2048)
    started = time.perf_counter()
    model = one(history, FitParameters())
    assert time.perf_counter() - started < 3.0  # 0.1 s on an idle core
    assert len(model.edges) < 1000


def test_the_spread_floor_is_a_step_of_quantisation_and_never_rounding() -> None:
    assert spread_floor(np.array([1.0, 1.25, 3.0])) == 0.25
    assert spread_floor(np.array([0.1 + 0.2, 0.3])) == 1e-3  # these differ in the last bit only: flat
    assert robust_spread(np.array([5.0] * 99 + [6.0])) == 1.0


def test_the_seed_reaches_every_tree() -> None:
    assert not np.array_equal(
        fit_forest(NORMAL, 2, 64, 1).estimators_[1].tree_.threshold,
        fit_forest(NORMAL, 2, 64, 2).estimators_[1].tree_.threshold,
    )
