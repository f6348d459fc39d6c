"""What the engine says does not depend on how readings are cut into runs, nor on a restart between them."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.engine import Engine
from models.stacks.general import general_stack
from schemas.errors import StateError
from tests.models.engines import R, as_bytes, batch_of, engine_of, labels_of, model, new_engine, restored

TAGS = ("casing_pressure", "tubing_pressure")


@st.composite
def stretches(draw: st.DrawFn) -> list[R]:
    """Readings of three machines, wide and by tag, with holes, spikes, repeats and steps back."""
    readings = []
    minutes = {"a": 0.0, "b": 0.0, "c": 0.0}
    for _ in range(draw(st.integers(1, 150))):
        machine = draw(st.sampled_from(["a", "a", "b", "c"]))
        minutes[machine] += draw(st.sampled_from([1.0, 1.0, 1.0, 0.01, 0.0, -3.0, 30.0]))
        pressure = st.one_of(
            st.none(), st.sampled_from([9999.0, 30_000.0]), st.integers(0, 60).map(lambda x: 100.0 + x)
        )
        tag = draw(st.sampled_from([None, *TAGS])) if machine == "c" else None
        casing, tubing = draw(pressure), draw(st.one_of(st.none(), st.just(20.0), st.just(20.0), st.just(20.0)))
        if tag == TAGS[0]:
            tubing = None
        elif tag == TAGS[1]:
            casing = None
        readings.append(R(minutes[machine] + 10, casing, tubing, machine, tag))
    return readings


def engine_with_models(**options: Any) -> Engine:
    engine = new_engine(**options)
    for number, machine in enumerate(("a", "b", "c"), 1):
        engine.adopt(model(machine, centre=110.0 + number, spread=4.0, digest=number), 0)
    return engine


UPDATES = [model(machine, centre=110.0 + number, spread=4.0, digest=number) for number, machine in enumerate("abc", 1)]
OPTIONS = [{"detectors": {"load": name}} for name in ("ensemble", "isolation_forest", "standard_absolute_deviation")]


@pytest.mark.parametrize("options", OPTIONS, ids=["ensemble", "forest", "river"])
@settings(deadline=None, max_examples=40)
@given(readings=stretches(), cuts=st.lists(st.integers(0, 150), max_size=6))
def test_labels_are_the_same_however_the_readings_are_cut_into_runs(
    options: dict[str, Any], readings: list[R], cuts: list[int]
) -> None:
    whole, parts = engine_with_models(**options), engine_with_models(**options)
    batch = batch_of(whole, readings)
    batch_of(parts, readings)  # the same slots
    expected = as_bytes(labels_of(whole, batch))
    edges = [0, *sorted(min(cut, len(batch)) for cut in cuts), len(batch)]
    made = [label for a, b in pairwise(edges) if a < b for label in labels_of(parts, batch.part(a, b))]
    assert as_bytes(made) == expected


@pytest.mark.parametrize("options", OPTIONS, ids=["ensemble", "forest", "river"])
@settings(deadline=None, max_examples=40)
@given(readings=stretches(), cut=st.integers(0, 150))
def test_labels_are_the_same_after_a_restart_at_any_point(options: dict[str, Any], readings: list[R], cut: int) -> None:
    first = engine_with_models(**options)
    batch = batch_of(first, readings)
    cut = min(cut, len(batch))
    labels_of(first, batch.part(0, cut))
    second = restored(first, UPDATES, **options)
    again = batch_of(second, readings)
    assert as_bytes(labels_of(second, again.part(cut, len(again)))) == as_bytes(
        labels_of(first, batch.part(cut, len(batch)))
    )


@settings(deadline=None, max_examples=30)
@given(readings=stretches(), repeat_from=st.integers(0, 150))
def test_a_reading_that_is_part_of_the_state_is_not_labelled_again(readings: list[R], repeat_from: int) -> None:
    engine = engine_with_models()
    batch = batch_of(engine, readings)
    labels_of(engine, batch)
    assert labels_of(engine, batch.part(min(repeat_from, len(batch)), len(batch))) == []


@settings(deadline=None, max_examples=30)
@given(readings=stretches())
def test_every_reading_is_labelled_once_or_held(readings: list[R]) -> None:
    engine = engine_with_models()
    batch = batch_of(engine, readings)
    labels = labels_of(engine, batch)
    offsets = [label.source_offset for label in labels]
    assert len(set(offsets)) == len(offsets)
    held = set(range(len(readings))) - set(offsets)
    assert all(readings[offset].tag is not None for offset in held)


@pytest.mark.parametrize("options", OPTIONS[:2], ids=["ensemble", "forest"])
def test_state_survives_many_turns_of_the_ring(options: dict[str, Any]) -> None:
    engine = engine_with_models(**options)
    readings = [R(5.0 * i, 120.0 + i % 7 + (i % 97 == 0) * 30, 20.0 + i % 11, "a") for i in range(900)]
    batch = batch_of(engine, readings)
    restarts = [633, 634, 700, 767, 768, 800]
    written: dict[bytes, bytes] = {}
    labels_of(engine, batch.part(0, 5))
    for start, stop in pairwise([5, *range(40, 633, 31), *restarts, 900]):
        if start in restarts:
            again = engine_of(written.items(), **options)
            batch_again = batch_of(again, readings)
            expected = as_bytes(labels_of(engine, batch.part(start, stop)))
            assert as_bytes(labels_of(again, batch_again.part(start, stop))) == expected
        else:
            labels_of(engine, batch.part(start, stop))
        for key, value in engine.records([("load", 0)], UPDATES):
            written.pop(key, None)  # in the order of the last writing, as a compacted topic
            written[key] = value


def test_a_damaged_or_foreign_state_record_says_so() -> None:
    engine = new_engine()
    batch_of(engine, [R(1, 100, 20)])
    key, value = engine.records([("load", 0)], [])[0]
    with pytest.raises(StateError, match="layout 09"):
        new_engine().restore(key, b"\x09" + value[1:])
    with pytest.raises(StateError, match="instead of 4"):
        new_engine().restore(b"what", value)


@pytest.mark.parametrize("part", ["h", "c40", "b1", "v"])
def test_a_machine_with_a_shortened_record_is_not_judged(part: str) -> None:
    engine = new_engine(**OPTIONS[0])
    readings = [R(float(minute), 100.0 + minute % 7, 20.0) for minute in range(200)]
    written: dict[bytes, bytes] = {}
    for start in range(0, 200, 50):
        engine.step(batch_of(engine, readings[start : start + 50], start))
        written |= dict(engine.records([("load", 0)], []))
    shortened = [key for key in written if key.rpartition(b"\x1f")[2].startswith(part.encode())]
    assert shortened
    again = new_engine(**OPTIONS[0])
    for key, value in written.items():
        again.restore(key, value[: len(value) * 2 // 3] if key in shortened else value)

    def judge() -> None:
        again.finish_restore()
        again.step(batch_of(again, [R(200.0, 100.0, 20.0)], 200))

    with pytest.raises(StateError, match="damaged"):
        judge()


def test_a_restored_machine_whose_model_is_gone_says_so() -> None:
    engine = engine_with_models()
    records = [
        (key, value) for key, value in engine.records([("load", 0)], UPDATES) if not key.endswith((b"m0", b"m1"))
    ]
    again = new_engine()
    for key, value in records:
        again.restore(key, value)
    with pytest.raises(StateError, match="no model 0000000000000001"):
        again.finish_restore()


@pytest.mark.parametrize("stopped_at", [150, 511, 640, 1399])
def test_after_a_restart_a_reference_of_two_signals_is_what_it_was(stopped_at: int) -> None:
    stacks = [general_stack(TAGS)]
    options: dict[str, Any] = {"stacks": stacks, "history": 1024, "detectors": {stacks[0].name: "ensemble"}}
    readings = [R(float(m), 300.0 + m * 7 % 11 + (m > 1000) * 15, 200.0 + m * 5 % 13) for m in range(1500)]
    whole, parts = new_engine(**options, refits=False), new_engine(**options, refits=False)
    batch = batch_of(whole, readings)
    batch_of(parts, readings)
    expected = as_bytes(labels_of(whole, batch))
    made = labels_of(parts, batch.part(0, stopped_at))
    made += labels_of(restored(parts, **options, refits=False), batch.part(stopped_at, len(batch)))
    assert as_bytes(made) == expected
    assert any(label.views and "together" in label.views for label in made)


@pytest.mark.parametrize("durable", [0, 1, 2, 3])
def test_a_fleet_s_new_model_is_in_force_for_all_its_machines_once_its_own_record_is_durable(durable: int) -> None:
    engine = new_engine()
    old, new = (model("*", rung="fleet", centre=110.0 + n, digest=n + 1) for n in range(2))
    batch_of(engine, [R(1, 100, 20, machine) for machine in "abc"])
    touched = [("load", slot) for slot in range(3)]
    engine.adopt(old, 0)
    engine.adopt(model("c", digest=7), 0)
    log = engine.records(touched, [old, model("c", digest=7)])
    changed = engine.adopt(new, 5)
    log += engine.records(changed, [new])[:durable]
    again = engine_of(log)
    again.read_back(range(3))
    core = again.stacks["load"].state.core
    in_force = {name: core[["model", "model_since"]][slot].item() for (_, name), slot in again.slots.items()}
    fleets = (2, 5) if durable else (1, 0)
    assert in_force == {"a": fleets, "b": fleets, "c": (7, 0)}
    assert (again.stacks["load"].state.model_index[:3] >= 0).all()


@pytest.mark.parametrize("cuts", [(1, 1, 1), (2, 1, 2, 1), (1, 2, 2, 1, 3, 1), (0, 1, 0)])
def test_however_often_in_a_row_a_fleet_s_new_model_is_cut_off_the_last_one_written_is_in_force(
    cuts: tuple[int, ...],
) -> None:
    touched = [("load", slot) for slot in range(3)]
    models = [model("*", rung="fleet", centre=110.0 + n, digest=n + 1) for n in range(len(cuts) + 1)]
    engine = new_engine()
    batch_of(engine, [R(1, 100, 20, machine) for machine in "abc"])
    engine.adopt(models[0], 0)
    log = engine.records(touched, [models[0]])
    for number, durable in enumerate(cuts, 1):
        engine = engine_of(log)
        engine.adopt(models[number], 5 * number)
        log += engine.records(touched, [models[number]])[:durable]
    last = max(number for number, durable in enumerate((1, *cuts)) if durable)
    again = engine_of(log)
    again.read_back(range(3))
    assert again.stacks["load"].state.core["model"][:3].tolist() == [last + 1] * 3
    assert (again.stacks["load"].state.model_index[:3] >= 0).all()


def test_after_a_restart_a_fleet_s_next_model_reaches_machines_that_nobody_has_asked_for_yet() -> None:
    engine = new_engine()
    old, new = (model("*", rung="fleet", centre=110.0 + n, digest=n + 1) for n in range(2))
    batch_of(engine, [R(1, 100, 20, "a"), R(1, 100, 20, "b")])
    engine.adopt(old, 0)
    again = engine_of(engine.records([("load", 0), ("load", 1)], [old]))
    assert again.adopt(new, 7) == [("load", 0), ("load", 1)]
    assert again.stacks["load"].state.core["model"][:2].tolist() == [2, 2]


def test_a_new_engine_has_seen_nothing_and_one_read_back_what_was_written() -> None:
    engine = new_engine()
    assert engine.last_offset == -1
    engine.slot("acme", "a")
    assert engine.last_offset == -1
    labels_of(engine, batch_of(engine, [R(1, 100, 20, "a"), R(2, 100, 20, "a")], 5))
    assert engine.last_offset == 6
    again = engine_of(engine.records([("load", 0)], ()))
    assert again.last_offset == 6


def test_a_machine_whose_first_commit_was_cut_off_begins_again_with_its_fleet_s_model() -> None:
    engine = new_engine()
    fleet = model("*", rung="fleet", digest=7)
    engine.adopt(fleet, 0)
    log = engine.records((), [fleet])
    readings = [R(float(minute), 100.0, 20.0, "a") for minute in range(9)]
    expected = as_bytes(labels_of(engine, batch_of(engine, readings)))
    log += [(key, value) for key, value in engine.records([("load", 0)], ()) if not key.endswith(b"\x1fh")]
    assert len(log) > 2, "chunks were written, and then it died"
    again = engine_of(log)
    assert as_bytes(labels_of(again, batch_of(again, readings))) == expected


def test_of_fleet_models_that_came_before_any_reading_the_last_one_is_in_force_after_a_restart() -> None:
    engine = new_engine()
    log = []
    for number in (1, 2, 3):
        update = model("*", rung="fleet", digest=number)
        engine.adopt(update, 0)
        log += engine.records((), [update])
    again = engine_of(log)
    for one in (engine, again):
        one.slot("acme", "a")
        assert one.stacks["load"].state.core["model"][0] == 3
