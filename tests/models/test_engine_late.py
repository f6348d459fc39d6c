"""Late readings: put in their place, and the labels they change issued again."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.engine import Engine
from models.engine.labels import make_labels
from models.engine.late import PLACED_IF_NEWER_BELOW
from models.stacks.general import general_stack
from tests.models.engines import STAMP, R, as_bytes, batch_of, engine_of, model, new_engine, restored

FOREST = {"detectors": {"load": "isolation_forest"}}
ENSEMBLE = {"detectors": {"load": "ensemble"}}
#: A jumbled stream may differ from the same one in order in where a label came from and in what is never corrected.
NOT_COMPARED = {
    "label_id", "source_offset", "partner_offset", "revision", "supersedes", "alert", "incident_id", "model_since_offset",
}  # fmt: skip


def issued(engine: Engine, readings: list[R], first_offset: int = 0) -> list[Any]:
    """All labels of the load stack in the order in which they go out."""
    batch = batch_of(engine, readings, first_offset)
    made = make_labels(engine.stacks["load"], engine.step(batch)["load"], batch, engine.machines.names, STAMP)
    return list(made.in_order())


def with_model(**options: Any) -> Engine:
    engine = new_engine(refits=False, **options)
    engine.adopt(model(centre=100.0, spread=2.0), 0)
    return engine


def load(minute: float, value: float, **more: Any) -> R:
    return R(minute, 200.0 + value, 200.0, **more)


def latest(labels: list[Any]) -> dict[str, Any]:
    """The last label of each reading, by its event time."""
    found: dict[str, Any] = {}
    for label in labels:
        before = found.get(label.event_time)
        assert before is None or label.revision == before.revision + 1
        found[label.event_time] = label
    return found


def compared(label: Any, only: set[str] | None = None) -> dict[str, Any]:
    names = only or set(label.__struct_fields__) - NOT_COMPARED
    return {name: getattr(label, name) for name in names}


def test_a_late_reading_is_judged_in_its_place_and_what_it_changes_is_issued_again() -> None:
    in_time = [load(m, 90.0 + m) for m in range(20)]
    engine = with_model()
    issued(engine, in_time)
    issued(engine, [load(21, 104.0), load(22, 96.0)], 20)
    late, *revised = issued(engine, [load(20, 90.0)], 22)

    values = [90.0 + m for m in range(20)] + [90.0, 104.0, 96.0]
    assert (late.label_id, late.revision, late.supersedes) == ("load-0-22-0", 0, None)
    assert late.median == np.median(values[:21])
    assert [(one.label_id, one.supersedes, one.revision) for one in revised] == [
        ("load-0-20-1", "load-0-20-0", 1),
        ("load-0-21-1", "load-0-21-0", 1),
    ]
    assert [one.median for one in revised] == [np.median(values[:22]), np.median(values)]
    assert [one.value for one in revised] == [104.0, 96.0], "the values themselves stay what was measured"


def test_labels_that_a_late_reading_does_not_change_are_not_issued_again() -> None:
    engine = with_model()
    issued(engine, [load(m, 100.0) for m in (*range(20), 21, 22, 23)])
    assert [label.revision for label in issued(engine, [load(20, 100.0)], 23)] == [0], "all loads are the same"


def test_each_further_late_reading_counts_revisions_on() -> None:
    engine = with_model()
    issued(engine, [load(m, 100.0 + m) for m in (*range(20), 30)])
    last = [issued(engine, [load(29 - n, 60.0 + n)], 21 + n)[-1] for n in range(3)]
    assert [(one.label_id, one.supersedes) for one in last] == [
        ("load-0-20-1", "load-0-20-0"), ("load-0-20-2", "load-0-20-1"), ("load-0-20-3", "load-0-20-2"),
    ]  # fmt: skip


def test_a_reading_older_than_the_horizon_is_too_late_and_changes_nothing() -> None:
    engine = with_model(history=256)
    newer = [load(m, 100.0 + m % 7) for m in range(PLACED_IF_NEWER_BELOW + 1)]
    issued(engine, [load(-100, 100.0), *newer])
    before = engine.stacks["load"].window_median(0)
    (beyond,) = issued(engine, [load(-50, 500.0)], 200)
    assert (beyond.label, beyond.reason, beyond.median) == ("unscored", "too_late", None)
    assert engine.stacks["load"].window_median(0) == before
    placed, *_ = issued(engine, [load(1.5, 100.0)], 201)
    assert placed.reason == "warming_up", "62 are newer: it has its place, the third one"


def test_a_late_reading_opens_no_alert_and_leaves_those_of_others_alone() -> None:
    engine = with_model()
    first = issued(engine, [load(m, 100.0) for m in range(20)] + [load(m, 150.0) for m in range(30, 60)])
    opened = [label for label in first if label.alert == "opened"]
    assert len(opened) == 1
    batch = batch_of(engine, [load(m, 150.0) for m in range(21, 30)], 50)
    made = make_labels(engine.stacks["load"], engine.step(batch)["load"], batch, engine.machines.names, STAMP)
    assert not made.incidents
    assert {label.alert for label in made.labels} == {"quiet"}
    by_offset = {label.source_offset: label for label in first}
    assert made.revised
    for _, label in made.revised:
        before = by_offset[label.source_offset]
        assert (label.alert, label.incident_id) == (before.alert, before.incident_id)


def test_a_late_reading_within_an_incident_belongs_to_it() -> None:
    engine = with_model()
    first = issued(engine, [load(m, 100.0) for m in range(20)] + [load(m, 150.0) for m in range(20, 60) if m != 50])
    (incident,) = {label.incident_id for label in first if label.incident_id}
    late, *_ = issued(engine, [load(50, 150.0)], 59)
    assert (late.alert, late.incident_id, late.label) == ("open", incident, "anomalous")


def test_a_late_reading_with_a_missing_signal_says_so_and_moves_no_median() -> None:
    engine = with_model()
    issued(engine, [load(m, 100.0 + m % 5) for m in (*range(30), 31)])
    labels = issued(engine, [R(30, 300.0, None)], 31)
    assert labels[0].reason == "missing_signal"


def test_the_same_late_reading_twice_is_a_duplicate() -> None:
    engine = with_model()
    issued(engine, [load(m, 100.0 + m) for m in (*range(20), 21)])
    issued(engine, [load(20, 90.0)], 21)
    assert [label.reason for label in issued(engine, [load(20, 90.0)], 22)] == ["duplicate"]


def test_a_day_of_backfill_after_the_first_new_reading_is_put_in_its_place() -> None:
    engine = with_model(history=256)
    issued(engine, [load(m, 90.0 + m / 64) for m in range(30)])
    issued(engine, [load(1500, 100.0)], 30)
    labels = issued(engine, [load(m, 90.0 + m / 64) for m in range(31, 1500)], 31)
    backfilled = [label for label in labels if label.revision == 0]
    assert {label.reason for label in backfilled} == {None}
    revised = [label for label in labels if label.revision]
    assert {label.source_offset for label in revised} == {30}
    assert [label.revision for label in revised] == list(range(1, 16)), "eight at once, then at 16, 32, ... 1,024"
    settled = issued(engine, [load(1501, 100.0)], 1500)
    assert [label.source_offset for label in settled] == [1500, 30]
    last = settled[-1]
    assert (last.revision, last.supersedes) == (16, "load-0-30-15")
    assert last.median == round(np.median([90.0 + m / 64 for m in range(1461, 1500)] + [100.0]), 6)


def test_what_waits_to_be_issued_again_is_issued_before_it_is_too_far_back() -> None:
    first = [load(m, 100.0 + m % 7) for m in (*range(60), 500)]
    before_the_last = [load(50 + m / 16, 90.0 + m) for m in range(1, 13)]
    between = [load(100 + m, 95.0 + m % 11) for m in range(90)]
    come = [*first, *before_the_last, *between, load(501, 100.0)]
    expected = latest(issued(with_model(history=256), sorted(come)))
    found = latest(issued(with_model(history=256), come))
    for moment, label in found.items():
        assert compared(label) == compared(expected[moment])


def test_what_waits_to_be_issued_again_survives_a_restart() -> None:
    come = [load(m, 100.0) for m in (*range(60), 500)]
    late = [load(70 + m, 100.0 if m < 9 else 60.0) for m in range(30)]  # nothing changes but with the last two
    whole = with_model()
    issued(whole, come)
    assert not any(label.revision for label in issued(whole, late, len(come)))
    again = restored(whole, [model(centre=100.0, spread=2.0)], refits=False)
    batch_of(again, come)  # the same slots
    end = [load(501, 100.0)]
    expected = issued(whole, end, 100)
    assert [label.source_offset for label in expected] == [100, 60]
    assert as_bytes(issued(again, end, 100)) == as_bytes(expected)


@settings(deadline=None, max_examples=60)
@given(between=st.integers(40, 75), before=st.integers(9, 12))
def test_no_label_that_waits_is_lost_or_taken_for_another_one_however_far_back_it_gets(
    between: int, before: int
) -> None:
    first = [load(m, 100.0 + m % 7) for m in (*range(60), 500)]
    changing = [load(50 + m / 16, 90.0 + m) for m in range(1, before + 1)]
    come = [*first, *changing, *(load(100 + m, 95.0 + m % 11) for m in range(between)), load(501, 100.0)]
    expected = latest(issued(with_model(history=256), sorted(come)))
    labels = issued(with_model(history=256), come)
    assert labels[-1].source_offset != len(come) - 1 or labels[-1].revision == 0, "the last one came in order"
    for moment, label in latest(labels).items():
        assert compared(label) == compared(expected[moment])


def test_an_online_detector_takes_no_reading_in_between() -> None:
    engine = new_engine(refits=False, detectors={"load": "standard_absolute_deviation"})
    labels = issued(engine, [load(m, 100.0) for m in (0, 2, 1)])
    assert labels[-1].reason == "too_late"


@st.composite
def jumbled(draw: st.DrawFn) -> tuple[list[R], list[R]]:
    """A machine's readings in order of time, and the same as they come: some up to a few readings late."""
    n = draw(st.integers(2, 140))
    values = draw(st.lists(st.integers(-6, 6), min_size=n, max_size=n))
    missing = draw(st.sets(st.integers(0, n - 1), max_size=4))
    in_order = [R(float(m), 300.0 + v if m not in missing else None, 200.0) for m, v in enumerate(values)]
    delays = draw(st.lists(st.sampled_from([0, 0, 0, 0, 1, 2, 7, 30]), min_size=n, max_size=n))
    come = sorted(range(n), key=lambda m: (m + delays[m], m))
    return in_order, [in_order[m] for m in come]


@pytest.mark.parametrize("options", [FOREST, ENSEMBLE], ids=["forest", "ensemble"])
@settings(deadline=None, max_examples=60)
@given(both=jumbled())
def test_in_the_end_the_labels_are_those_of_readings_that_come_in_order(
    options: dict[str, Any], both: tuple[list[R], list[R]]
) -> None:
    # The last reading comes in order: then nothing waits to be issued again.
    end = load(1000.0, 100.0)
    in_order, as_they_come = [*both[0], end], [*both[1], end]
    expected = latest(issued(with_model(**options), in_order))
    engine = with_model(**options)
    found = latest(issued(engine, as_they_come))
    # What views make of it depends on what they had learnt by then; all that follows from windows and models does not.
    only = None if options is FOREST else {"event_time", "signals", "value", "median", "score", "expected_low"}
    assert found.keys() == expected.keys()
    for moment, label in found.items():
        if label.reason == expected[moment].reason:
            assert compared(label, only) == compared(expected[moment], only)
        else:
            assert options is ENSEMBLE
            assert "warming_up" in (label.reason, expected[moment].reason)


def test_views_that_cannot_be_asked_again_stand_by_what_they_said() -> None:
    engine = with_model(history=1024, **ENSEMBLE)
    rng = np.random.default_rng(5)
    values = 100.0 + rng.normal(0, 1.0, 700)
    values[680:] += 12.0
    first = issued(engine, [load(m, v) for m, v in enumerate(values) if m != 670])
    hits = {label.event_time: label for label in first if label.label == "anomalous"}
    late, *revised = issued(engine, [load(670, values[670])], 699)
    again = {label.event_time: label for label in revised}
    assert len(hits) >= 10
    assert hits.keys() & again.keys(), "a late reading moves their medians"
    changed = [moment for moment in hits.keys() & again.keys() if again[moment].label != "anomalous"]
    assert len(changed) <= 1, "one usual reading more is hardly a reason to take it back"
    for moment in hits.keys() & again.keys() - set(changed):
        for view in ("rare_value", "rare_mean", "time_of_day", "rare_median"):
            assert again[moment].views.get(view) == hits[moment].views.get(view)
        assert abs(again[moment].surprise - hits[moment].surprise) < 0.5
    assert late.label == "normal"


@st.composite
def commits(draw: st.DrawFn) -> tuple[list[R], list[int], float]:
    """Readings of two machines with steps back, wide and by tag; where commits are; and how far the last ones got."""
    readings = []
    minutes = {"a": 0.0, "b": 0.0}
    for _ in range(draw(st.integers(20, 300))):
        machine = draw(st.sampled_from("aab"))
        minutes[machine] += draw(st.sampled_from([1.0, 1.0, 1.0, 1.0, -2.5, 4.0]))
        value = 300.0 + draw(st.integers(-5, 5))
        if machine == "b":
            tag = draw(st.sampled_from(["casing_pressure", "tubing_pressure"]))
            readings.append(R(minutes["b"], value, value - 100.0, "b", tag))
        else:
            readings.append(R(minutes["a"], value, 200.0, "a"))
    ends = sorted(draw(st.sets(st.integers(1, len(readings)), max_size=12)))
    return readings, ends, draw(st.floats(0, 1))


@pytest.mark.parametrize("options", [FOREST, ENSEMBLE], ids=["forest", "ensemble"])
@settings(deadline=None, max_examples=60)
@given(story=commits())
def test_after_a_crash_between_any_two_changelog_records_labels_are_the_same_to_the_letter(
    options: dict[str, Any], story: tuple[list[R], list[int], float]
) -> None:
    readings, ends, share = story
    whole = new_engine(refits=False, **options)
    batch = batch_of(whole, readings)
    expected: dict[str, bytes] = {}
    log: list[tuple[bytes, bytes]] = []
    for start, stop in pairwise([0, *ends]):
        part = batch.part(start, stop)
        made = make_labels(whole.stacks["load"], whole.step(part)["load"], part, whole.machines.names, STAMP)
        expected |= {
            label.label_id: line for label, line in zip(made.in_order(), as_bytes(made.in_order()), strict=True)
        }
        log += whole.records(sorted({("load", int(slot)) for slot in part.slot}), ())
    durable = log[: round(share * len(log))]

    compacted = {}
    for key, value in durable:
        compacted.pop(key, None)
        compacted[key] = value
    again = engine_of(compacted.items(), refits=False, **options)
    end = ends[-1] if ends else 0
    repeated = batch_of(again, readings).part(0, end)
    made = make_labels(again.stacks["load"], again.step(repeated)["load"], repeated, again.machines.names, STAMP)
    for label, line in zip(made.in_order(), as_bytes(made.in_order()), strict=True):
        assert line == expected[label.label_id]


def test_of_several_signals_the_frozen_reference_judges_a_late_reading_too() -> None:
    stack = general_stack(["casing_pressure", "tubing_pressure"])
    engine = new_engine([stack], refits=False, history=1024, detectors={"general": "ensemble"})
    rng = np.random.default_rng(3)
    pressures = 300.0 + rng.normal(0, 1.0, (500, 2))
    rows = [R(m, a, b) for m, (a, b) in enumerate(pressures.tolist()) if m != 480]
    batch = batch_of(engine, rows)
    engine.step(batch)
    late = batch_of(engine, [R(480, 330.0, 270.0)], 499)
    verdicts = engine.step(late)["general"]
    assert verdicts.late[0]
    assert verdicts.together is not None
    assert verdicts.together[0] > 0.0
    assert verdicts.surprise[0] >= verdicts.together[0]
