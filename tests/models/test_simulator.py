"""The simulated fleet: repeatable, lazy, plausible, and honest about what it did."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.batches import WideBatch, join
from models.simulator import LIFTS, SIGNALS, Fleet, Rates
from models.simulator.kinds import DEFECT_NAMES, EVENT_KINDS
from schemas.errors import BadSettings
from schemas.readings import WideReading

START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BUSY = Rates(events=40.0, defects=5.0)


def everything(fleet: Fleet, hours: float) -> WideBatch:
    return join(list(fleet.readings(START_MS + round(hours * HOUR_MS))))


def same(a: WideBatch, b: WideBatch) -> bool:
    return (
        [a.machines[i] for i in a.machine] == [b.machines[i] for i in b.machine]
        and np.array_equal(a.time_ms, b.time_ms)
        and np.array_equal(a.arrival_ms, b.arrival_ms)
        and a.values.tobytes() == b.values.tobytes()
    )


def of_well(batch: WideBatch, machine_id: str) -> WideBatch:
    index = [machine.machine_id for machine in batch.machines].index(machine_id)
    own = np.flatnonzero(batch.machine == index)
    return WideBatch(
        (batch.machines[index],),
        batch.signals,
        np.zeros(len(own), np.int64),
        batch.time_ms[own],
        batch.arrival_ms[own],
        batch.values[own],
    )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), wells=st.integers(1, 12))
def test_the_same_seed_gives_the_same_readings(seed: int, wells: int) -> None:
    first, second = (everything(Fleet(seed, wells, START_MS, rates=BUSY), 5) for _ in range(2))
    assert same(first, second)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), short=st.floats(0.1, 26), longer=st.floats(0, 10))
def test_readings_until_a_moment_begin_the_readings_until_a_later_one(seed: int, short: float, longer: float) -> None:
    fleet = Fleet(seed, 3, START_MS, rates=BUSY)
    batches = list(fleet.readings(START_MS + round(short * HOUR_MS)))
    if not batches:
        return
    part = join(batches)
    assert same(part, everything(fleet, short + longer).part(0, len(part)))


def test_a_well_is_the_same_in_a_small_and_in_a_large_fleet() -> None:
    small, large = (everything(Fleet(7, wells, START_MS, rates=BUSY), 30) for wells in (3, 40))
    for name in ("well-0001", "well-0003"):
        assert same(of_well(small, name), of_well(large, name))


def test_another_seed_gives_other_wells() -> None:
    assert not same(everything(Fleet(1, 3, START_MS), 2), everything(Fleet(2, 3, START_MS), 2))


def test_readings_come_in_order_of_arrival_and_before_the_end() -> None:
    end_ms = START_MS + 40 * HOUR_MS
    newest = START_MS
    for batch in Fleet(3, 30, START_MS, rates=Rates(defects=10)).readings(end_ms):
        assert batch.arrival_ms[0] >= newest
        assert (np.diff(batch.arrival_ms) >= 0).all()
        newest = int(batch.arrival_ms[-1])
    assert newest < end_ms


def test_a_fleet_without_end_is_made_as_it_is_taken() -> None:
    batches = list(itertools.islice(Fleet(3, 2, START_MS).readings(), 3))
    assert len(batches) == 3


def test_every_reading_is_one_by_the_contract() -> None:
    for row in everything(Fleet(11, 8, START_MS, rates=BUSY), 3).rows():
        values = {name: None if math.isnan(value) else value for name, value in row.values.items()}
        reading = WideReading.model_validate(
            {"client_id": row.client_id, "machine_id": row.machine_id, "time": row.time_ms, **values}
        )
        assert tuple(reading.signals) == SIGNALS


def test_without_defects_every_well_is_read_at_its_interval() -> None:
    fleet = Fleet(5, 60, START_MS, rates=Rates(events=0, defects=0))
    whole = everything(fleet, 6)
    assert {well.interval_s for well in fleet.wells} == {15, 60, 300, 900}
    for well in fleet.wells:
        times = of_well(whole, well.machine_id).time_ms
        assert set(np.diff(times).tolist()) == {well.interval_s * 1000}
    assert not np.isnan(whole.values).any()


def test_without_events_and_defects_the_truth_is_empty() -> None:
    assert list(Fleet(5, 60, START_MS, rates=Rates(events=0, defects=0)).truth(START_MS + 60 * DAY_MS)) == []


def test_all_events_and_defects_happen() -> None:
    rare = {"missing": 0.01, "duplicate": 0.01, "spike": 0.01}
    fleet = Fleet(0, 60, START_MS, rates=Rates(events=20, defects=20, by_kind=rare))
    kinds = {truth.kind for truth in fleet.truth(START_MS + 60 * DAY_MS)}
    assert kinds == {*(kind.name for kind in EVENT_KINDS), *DEFECT_NAMES}


def test_an_event_comes_to_the_wells_that_can_have_it_and_one_at_a_time() -> None:
    fleet = Fleet(0, 60, START_MS, rates=Rates(events=20, defects=0))
    lift = {well.machine_id: well.lift for well in fleet.wells}
    lifts = {kind.name: kind.lifts for kind in EVENT_KINDS}
    busy_until: dict[str, int] = defaultdict(int)
    for truth in fleet.truth(START_MS + 60 * DAY_MS):
        if truth.category == "event":
            assert lift[truth.machine_id] in lifts[truth.kind]
            if truth.group is None:
                assert truth.start_ms >= busy_until[truth.machine_id]
                busy_until[truth.machine_id] = truth.end_ms


def test_a_line_pressure_upset_meets_all_wells_of_its_area() -> None:
    fleet = Fleet(0, 50, START_MS, rates=Rates(events=10, defects=0))
    upsets = defaultdict(set)
    for truth in fleet.truth(START_MS + 60 * DAY_MS):
        if truth.kind == "line_pressure_upset":
            upsets[(truth.group, truth.start_ms)].add(truth.machine_id)
    assert upsets
    assert all(len(wells) == 25 for wells in upsets.values())


def test_defects_do_not_move_events() -> None:
    def events(defects: float) -> list[object]:
        fleet = Fleet(0, 30, START_MS, rates=Rates(events=5, defects=defects))
        return [truth for truth in fleet.truth(START_MS + 30 * DAY_MS) if truth.category == "event"]

    assert events(0) == events(3) != []


def test_rates_follow_their_factors() -> None:
    def count(rates: Rates, kind: str) -> int:
        return sum(truth.kind == kind for truth in Fleet(0, 100, START_MS, rates=rates).truth(START_MS + 20 * DAY_MS))

    usual = count(Rates(), "gap")
    assert 60 < usual < 220  # 1-3 a well and month
    assert count(Rates(by_kind={"gap": 5}), "gap") == pytest.approx(5 * usual, rel=0.3)
    assert count(Rates(by_kind={"gap": 0}), "gap") == 0
    assert count(Rates(defects=0), "gap") == 0


def test_defects_of_single_readings_come_at_their_rates() -> None:
    fleet = Fleet(0, 100, START_MS, rates=Rates(events=0))
    counts: dict[str, int] = defaultdict(int)
    for truth in fleet.truth(START_MS + DAY_MS):
        counts[truth.kind] += 1
    readings = fleet.readings_a_day()
    assert counts["duplicate"] / readings == pytest.approx(0.005, rel=0.1)
    assert counts["spike"] / readings / len(SIGNALS) == pytest.approx(1 / 5000, rel=0.2)
    assert 0.001 < counts["missing"] / readings / len(SIGNALS) < 0.01


def test_nothing_happens_in_the_quiet_time_and_the_early_wells_come_right_after_it() -> None:
    rates = Rates(events=50, quiet_ms=8 * HOUR_MS, early_wells=6, early_step_ms=60_000)
    events = [t for t in Fleet(0, 20, START_MS, rates=rates).truth(START_MS + DAY_MS) if t.category == "event"]
    assert min(event.start_ms for event in events) >= START_MS + 8 * HOUR_MS
    own = [event for event in events if event.group is None]
    for index in range(6):
        first = min(event.start_ms for event in own if event.machine_id == f"well-{index + 1:04d}")
        assert first == START_MS + 8 * HOUR_MS + index * 60_000


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"wells": 0}, "1 to 1000000 wells"),
        ({"seed": -1}, "seed"),
        ({"kinds": ("steam",)}, "plunger, gas, rod"),
        ({"kinds": ()}, "none"),
    ],
)
def test_a_fleet_that_cannot_be_says_why(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(BadSettings, match=words):
        Fleet(**{"seed": 0, "wells": 1, "start_ms": START_MS, **wrong})  # type: ignore[arg-type]


def test_wrong_rates_say_why() -> None:
    with pytest.raises(BadSettings, match="earthquake"):
        Rates(by_kind={"earthquake": 1})
    with pytest.raises(BadSettings, match="factor of events"):
        Rates(events=-1)


@pytest.mark.parametrize("lift", LIFTS)
def test_one_kind_alone_can_be_had(lift: str) -> None:
    assert {well.lift for well in Fleet(0, 30, START_MS, kinds=(lift,)).wells} == {lift}  # type: ignore[arg-type]
