"""Defects of the data are where the truth says they are, and nowhere else."""

import numpy as np

from models.batches import WideBatch, join
from models.simulator import SIGNALS, Fleet, Rates, Truth
from models.simulator.kinds import SENTINELS

START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ONLY = dict.fromkeys(("frozen", "missing", "unit_flip", "clock_skew", "duplicate", "gap", "spike"), 0.0)


def fleet_with(kind: str, factor: float, wells: int = 20) -> Fleet:
    return Fleet(4, wells, START_MS, rates=Rates(events=0, by_kind={**ONLY, kind: factor}))


def clean(wells: int = 20) -> Fleet:
    return Fleet(4, wells, START_MS, rates=Rates(events=0, defects=0))


def days(fleet: Fleet, count: float) -> tuple[WideBatch, list[Truth]]:
    until_ms = START_MS + round(count * DAY_MS)
    return join(list(fleet.readings(until_ms))), list(fleet.truth(until_ms))


def by_reading(batch: WideBatch) -> dict[tuple[str, int], np.ndarray]:
    names = [batch.machines[index].machine_id for index in batch.machine]
    return dict(zip(zip(names, batch.time_ms.tolist(), strict=True), batch.values, strict=True))


def differing(spoilt: WideBatch, whole: WideBatch) -> set[tuple[str, int, str]]:
    a, b = by_reading(spoilt), by_reading(whole)
    return {
        (machine, time, SIGNALS[column])
        for (machine, time), values in a.items()
        for column in np.flatnonzero(~np.isclose(values, b[machine, time], equal_nan=True)).tolist()
    }


def test_missing_values_are_empty_or_sentinels_where_the_truth_says_so() -> None:
    spoilt, truth = days(fleet_with("missing", 2), 0.5)
    told = {(t.machine_id, t.start_ms, t.signal) for t in truth}
    found = by_reading(spoilt)
    for machine, time, signal in told:
        if (machine, time) in found:
            value = found[machine, time][SIGNALS.index(str(signal))]
            assert np.isnan(value) or value in SENTINELS
    assert differing(spoilt, days(clean(), 0.5)[0]) <= told


def test_spikes_are_where_the_truth_says_so() -> None:
    spoilt, truth = days(fleet_with("spike", 5), 0.5)
    until_ms = int(spoilt.time_ms.max())
    found = differing(spoilt, days(clean(), 0.5)[0])
    assert found == {(t.machine_id, t.start_ms, t.signal) for t in truth if t.start_ms <= until_ms}


def test_a_duplicate_is_the_same_reading_again() -> None:
    spoilt, truth = days(fleet_with("duplicate", 2), 0.5)
    whole = days(clean(), 0.5)[0]
    assert differing(spoilt, whole) == set()
    # The very last ones may come again after the end.
    assert len(truth) - 10 <= len(spoilt) - len(whole) <= len(truth)


def test_a_frozen_signal_shows_one_value() -> None:
    spoilt, truth = days(fleet_with("frozen", 10), 1)
    assert truth
    found = by_reading(spoilt)
    for t in truth:
        column = SIGNALS.index(str(t.signal))
        held = [
            values[column]
            for (name, at), values in found.items()
            if name == t.machine_id and t.start_ms <= at < t.end_ms
        ]
        assert len(set(held)) <= 2  # two stretches may overlap


def test_what_a_gap_held_back_comes_after_it_complete() -> None:
    gapped, truth = days(fleet_with("gap", 20), 3)
    ends = [t.end_ms for t in truth]
    assert any(end < START_MS + 3 * DAY_MS for end in ends)
    names = np.array([machine.machine_id for machine in gapped.machines])[gapped.machine]
    orders = set()
    for t in truth:
        own = (names == t.machine_id) & (gapped.time_ms >= t.start_ms) & (gapped.time_ms < t.end_ms)
        assert (gapped.arrival_ms[own] >= t.end_ms).all()
        orders.add(bool((np.diff(gapped.time_ms[own]) >= 0).all()))
    assert orders == {True, False}  # some in order, some out of it
    whole = days(clean(), 3)[0]
    assert differing(gapped, whole) == set()
    settled_ms = START_MS + 3 * DAY_MS
    held = [t for t in truth if t.end_ms >= settled_ms - 60_000]
    inside = {key for t in held for key in by_reading(whole) if key[0] == t.machine_id and key[1] >= t.start_ms}
    assert set(by_reading(whole)) - set(by_reading(gapped)) <= inside


def test_a_wrong_unit_multiplies_the_pressures_and_leaves_the_flow() -> None:
    spoilt, truth = days(fleet_with("unit_flip", 3000), 1)
    flipped, whole = by_reading(spoilt), by_reading(days(clean(), 1)[0])
    assert truth
    t = truth[0]
    for key, values in flipped.items():
        others = [u for u in truth if u.machine_id == key[0] and u.start_ms <= key[1] < u.end_ms]
        if others == [t]:
            ratio = values[:3] / whole[key][:3]
            assert np.allclose(ratio, 6.895, rtol=1e-3) or np.allclose(ratio, 0.06895, rtol=2e-2)
            assert values[3] == whole[key][3]


def test_a_wrong_clock_moves_the_stamp_and_not_the_arrival() -> None:
    skewed, truth = days(fleet_with("clock_skew", 20), 0.2)
    wrong = {t.machine_id for t in truth}
    names = np.array([machine.machine_id for machine in skewed.machines])[skewed.machine]
    assert wrong
    for name in np.unique(names):
        off = np.unique((skewed.time_ms - skewed.arrival_ms)[names == name])
        assert len(off) == 1
        assert (off[0] != 0) == (name in wrong)
