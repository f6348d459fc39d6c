"""Models come into force, fleets serve the newcomers, and refits are asked for."""

import numpy as np
import pytest

from models.detectors import ForestDetector
from models.engine.batch import WIDE, make_batch
from models.engine.engine import Engine
from models.engine.machines import Machines
from models.engine.requests import training_requests
from models.engine.settings import EngineSettings
from models.stacks import STACKS, LoadStack, Signals, Stack, choose_stacks
from models.stacks.base import Array
from schemas.errors import BadSettings
from tests.models.engines import STAMP, R, as_bytes, batch_of, model, new_engine, restored, run


def flat(first: int, count: int, load: float = 100.0, machine: str = "well-1") -> list[R]:
    return [R(float(m), 200 + load + m % 3, 200, machine) for m in range(first, first + count)]


def test_a_model_is_in_force_from_the_offset_it_was_given() -> None:
    engine = new_engine()
    before = run(engine, flat(0, 20))
    engine.adopt(model(), 20)
    after = run(engine, flat(20, 5), 20)
    assert {label.model_digest for label in before} == {None}
    assert {(label.model_digest, label.model_since_offset) for label in after} == {("0" * 15 + "1", 20)}


def test_the_same_model_again_changes_nothing() -> None:
    engine = new_engine()
    run(engine, flat(0, 20))
    assert engine.adopt(model(), 20) == [("load", 0)]
    assert engine.adopt(model(), 30) == []


def test_a_new_model_replaces_the_old_one_and_an_older_one_can_come_back() -> None:
    engine = new_engine()
    run(engine, flat(0, 20))
    for number, offset in ((1, 20), (2, 25), (1, 30)):
        engine.adopt(model(centre=100.0 * number, digest=number), offset)
        labels = run(engine, flat(offset, 5), offset)
        assert labels[-1].model_digest.endswith(str(number))
        assert labels[-1].label == ("normal" if number == 1 else "anomalous")


def test_the_lookup_equals_the_detector_it_was_made_from() -> None:
    update = model()
    detector = ForestDetector(update.features[0])
    engine = new_engine()
    engine.adopt(update, 0)
    readings = [R(float(m), 200 + 60 + 0.7 * m, 200) for m in range(100)]
    for label in run(engine, readings)[10:]:
        assert label.score == round(detector.score(label.median), 6)
        assert label.surprise == detector.surprise(label.median, label.score)


def test_a_fleets_model_judges_by_each_machines_own_middle_and_spread() -> None:
    engine = new_engine()
    engine.adopt(model("*", centre=0.0, spread=1.0, rung="fleet"), 0)
    low = run(engine, flat(0, 40, 20.0, "low"))
    high = run(engine, flat(0, 40, 900.0, "high"), 40)
    for labels in (low, high):
        assert [label.reason for label in labels[:19]] == ["warming_up"] * 19
        assert {label.label for label in labels[29:]} == {"normal"}, "30 readings tell the machine's own middle"
        assert {label.model_rung for label in labels[29:]} == {"fleet"}
    outlier = run(engine, [R(float(m), 400, 200, "low") for m in range(40, 80)], 80)
    assert outlier[-1].label == "anomalous"


def test_an_own_model_takes_over_from_the_fleets_and_keeps_it() -> None:
    engine = new_engine()
    engine.adopt(model("*", centre=0.0, spread=1.0, rung="fleet", digest=9), 0)
    run(engine, flat(0, 40))
    engine.adopt(model(digest=2), 40)
    engine.adopt(model("*", centre=0.0, spread=2.0, rung="fleet", digest=10), 41)
    label = run(engine, flat(40, 5), 41)[-1]
    assert (label.model_rung, label.model_digest[-1]) == ("own", "2")


def test_a_machine_that_is_new_after_a_restart_gets_the_fleets_model() -> None:
    engine = new_engine()
    fleet = model("*", centre=0.0, spread=1.0, rung="fleet", digest=9)
    engine.adopt(fleet, 7)
    run(engine, flat(0, 40), 7)
    again = restored(engine, [fleet])
    label = run(again, flat(0, 40, machine="newcomer"), 47)[-1]
    assert (label.model_rung, label.model_since_offset, label.label) == ("fleet", 7, "normal")


def test_replaced_models_give_their_room_back() -> None:
    engine = Engine(Machines(choose_stacks(["load"]), EngineSettings()))
    rng = np.random.default_rng(1)
    run(engine, flat(0, 20))
    for number in range(1, 400):
        update = model(digest=number)
        wide = update.features[0].model_copy(
            update={
                "edges": np.sort(rng.normal(100, 5, 999).astype(np.float32)).astype(float).tolist(),
                "scores": [0.5] * 1000,
                "surprises": [1.0] * 1000,
            }
        )
        engine.adopt(update.model_copy(update={"features": [wide]}), 20)
    assert engine.stacks["load"].lookups.edges.nbytes < 1_000_000
    assert run(engine, flat(20, 1), 20)[0].model_digest == f"{399:016x}"


# -- refits


def requests_of(engine: Engine, readings: list[R], first: int = 0) -> list[tuple[int, str]]:
    made = []
    for offset, reading in enumerate(readings, first):
        batch = batch_of(engine, [reading], offset)
        made += [(offset, r.reason) for r in training_requests(engine.machines, engine.step(batch), batch, STAMP)]
    return made


def test_refits_are_due_after_the_first_readings_then_at_every_doubling_then_daily() -> None:
    engine = new_engine(history=1024, first_fit=50)
    assert requests_of(engine, flat(0, 450)) == [
        (49, "first"),
        (99, "more_history"),
        (199, "more_history"),
        (399, "more_history"),
    ]
    day_later = [R(reading.minute + 24 * 60, reading.casing, 200) for reading in flat(400, 3)]
    assert requests_of(engine, day_later, 450) == [(450, "daily")]


def test_no_refit_is_due_where_they_are_switched_off() -> None:
    assert requests_of(new_engine(first_fit=50, refits=False), flat(0, 120)) == []


def test_a_request_carries_the_medians_and_where_they_came_from() -> None:
    engine = new_engine(history=1024, first_fit=60)
    batch = batch_of(engine, flat(0, 60))
    verdicts = engine.step(batch)
    (request,) = training_requests(engine.machines, verdicts, batch, STAMP)
    assert request.request_id == "load-0-59"
    assert request.medians == [verdicts["load"].median[:, 0].tolist()]
    assert (request.source.topic, request.source.partition, request.source.last_offset) == ("readings", 0, 59)
    assert request.parent_digest is None


def test_stretches_of_an_open_alert_stay_out_of_the_history() -> None:
    engine = new_engine(history=1024, first_fit=300)
    engine.adopt(model(), 0)
    readings = flat(0, 200) + flat(200, 60, 140.0) + flat(260, 40)
    batch = batch_of(engine, readings)
    (request,) = training_requests(engine.machines, engine.step(batch), batch, STAMP)
    assert len(request.exclusions) == 1
    assert max(request.medians[0]) < 125, "the fault is not learnt as normal"


# -- stacks


class PressuresStack(Stack):
    """A stack with two features."""

    name = "pressures"
    signals = ("casing_pressure", "tubing_pressure")
    features = ("sum", "share")

    def feature(self, s: Signals) -> tuple[Array, ...]:
        return s.casing_pressure + s.tubing_pressure, s.tubing_pressure / s.casing_pressure


def test_of_several_features_the_most_surprising_one_speaks() -> None:
    engine = new_engine([PressuresStack()])
    update = model(centre=400.0, stack="pressures", features=("sum", "share"))
    share = model(centre=1.0, spread=0.01).features[0].model_copy(update={"feature": "share"})
    engine.adopt(update.model_copy(update={"features": [update.features[0], share]}), 0)
    quiet = run(engine, [R(float(m), 200, 200) for m in range(40)])
    assert quiet[-1].label == "normal"
    drift = run(engine, [R(float(m), 210, 190) for m in range(40, 90)], 40)
    assert (drift[-1].label, drift[-1].feature) == ("anomalous", "share")


def test_two_stacks_each_give_a_label_for_each_reading() -> None:
    engine = new_engine(choose_stacks(["load", "flow"]))
    labels = run(engine, flat(0, 3))
    assert [(label.stack, label.reason) for label in labels] == [("load", "warming_up")] * 3 + [
        ("flow", "missing_signal")
    ] * 3


def test_the_cut_of_runs_makes_no_difference_to_two_features() -> None:
    readings = [R(float(m), 200 + m % 7, 150 + m % 5) for m in range(60)]
    whole, single = new_engine([PressuresStack()]), new_engine([PressuresStack()])
    one_by_one = [label for i, reading in enumerate(readings) for label in run(single, [reading], i)]
    assert as_bytes(run(whole, readings)) == as_bytes(one_by_one)


def test_unknown_stacks_and_detectors_are_refused_by_name() -> None:
    with pytest.raises(BadSettings, match=r"no stack 'lode'.*flow, load"):
        choose_stacks(["lode"])
    with pytest.raises(BadSettings, match="no detector 'magic'"):
        new_engine(detectors={"load": "magic"})


def test_a_model_with_other_features_than_its_stack_is_refused() -> None:
    engine = new_engine()
    batch_of(engine, flat(0, 1))
    with pytest.raises(ValueError, match="has 2 features, the stack 1"):
        engine.adopt(model(features=("load", "more")), 0)


def test_registered_stacks_are_sound() -> None:
    assert [stack.name for stack in choose_stacks(STACKS)] == list(STACKS)
    assert LoadStack().feature_names == ("load",)


def test_pressures_in_other_units_are_converted_and_sentinels_are_not() -> None:
    batch = make_batch(
        ("casing_pressure",),
        [0, 0],
        [0, 1],
        [1, 2],
        [WIDE, WIDE],
        [10.0, float("inf")],
        [14.503773773020923, 14.5],
        [False] * 2,
    )
    assert batch.values[0, 0] == pytest.approx(145.03773773)
    assert batch.quality[:, 0].tolist() == [0, 2]
