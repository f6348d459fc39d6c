"""Simulated wells look like wells: ranges and signatures of wells.md."""

import numpy as np
import numpy.typing as npt
import pytest

from models.simulator import Fleet, Lift, Rates
from models.simulator.kinds import CASING, FLOW, LINE, TUBING
from models.simulator.run import WellRun
from models.simulator.schedule import HOUR_MS, Event
from models.simulator.wells import Well

Values = npt.NDArray[np.float64]
CLEAN = Rates(events=0, defects=0)


def wells(lift: Lift, count: int, *, interval_s: int | None = 60) -> list[Well]:
    fleet = Fleet(9, 150, 0, rates=CLEAN, kinds=(lift,))
    return [well for well in fleet.wells if interval_s in (None, well.interval_s)][:count]


def run(well: Well, hours: int, *events: Event) -> Values:
    made = WellRun(9, well, CLEAN)
    return np.concatenate([made.chunk(hour, events).values for hour in range(hours)])


def happening(kind: str, from_h: float, to_h: float, onset_h: float = 0.0) -> Event:
    return Event(kind, round(from_h * HOUR_MS), round(onset_h * HOUR_MS), round(to_h * HOUR_MS), 1.0)


def load(values: Values) -> Values:
    return values[:, CASING] - values[:, TUBING]


def steady_plunger() -> Well:
    """A well with short cycles whose plunger always arrives."""
    return next(w for w in wells("plunger", 100) if w.physics["off_min"] < 80 and w.physics["miss_below"] < -9)


def test_a_plunger_well_is_bimodal_and_cycles_as_often_as_measured_ones() -> None:
    shut_in, flowing, cycles = [], [], []
    for well in wells("plunger", 60):
        values = run(well, 48)
        off = values[:, FLOW] < 1
        shut_in.append(np.median(load(values)[off]))
        flowing.append(np.median(load(values)[~off]))
        cycles.append((np.diff(off.astype(int)) == 1).sum() / 2)
        casing_rise = np.diff(values[off][:, CASING])
        assert np.median(casing_rise) >= 0
    assert all(0 <= value <= 12 for value in shut_in)
    assert np.mean([20 <= value <= 40 for value in flowing]) > 0.9
    assert all(6 <= value <= 40 for value in cycles)
    assert 8 <= np.median(cycles) <= 20


def test_pressures_of_plunger_wells_lie_where_they_were_measured() -> None:
    for well in wells("plunger", 60):
        values = run(well, 12)
        assert 58 <= values[:, LINE].mean() <= 105 or 195 <= values[:, LINE].mean() <= 316
        assert (values[:, CASING] > values[:, LINE]).mean() > 0.99
        assert (values[:, TUBING] > values[:, LINE] - 3).mean() > 0.99
        assert (values[:, CASING] > values[:, TUBING] - 3).mean() > 0.98  # the spike of an arrival may top it


def test_gas_lift_and_rod_pumps_lie_in_their_ranges() -> None:
    for well in wells("gas", 40):
        values = run(well, 12)
        assert 580 <= values[:, CASING].mean() <= 1200
        assert 80 <= values[:, TUBING].mean() <= 300
    negative = 0
    for well in wells("rod", 40):
        values = run(well, 12)
        assert 20 <= values[:, CASING].mean() <= 150
        assert 50 <= values[:, TUBING].mean() <= 250
        negative += load(values).mean() < 0
    assert negative > 0


def test_a_gauge_shows_whole_steps_of_its_own() -> None:
    for well in wells("plunger", 20):
        pressures = run(well, 3)[:, [CASING, TUBING, LINE]]
        steps = pressures / well.step_psi
        assert np.allclose(steps, np.round(steps), atol=1e-6)


# CP, TP, flow: -1 down, 0 the same, 1 up; of the well's mean before and in the event.
SIGNATURES = [
    ("plunger", "liquid_loading", 1, None, -1),
    ("plunger", "no_arrival", 1, None, -1),
    ("plunger", "tubing_leak", -1, None, -1),
    ("plunger", "casing_leak", -1, -1, -1),
    ("plunger", "freeze_off", 1, 1, -1),
    ("plunger", "paraffin", 1, 1, -1),
    ("plunger", "valve_stuck_open", None, -1, -1),
    ("plunger", "valve_stuck_closed", 1, 1, -1),
    ("plunger", "line_pressure_upset", 1, 1, -1),
    ("plunger", "slow_arrival", 1, None, -1),
    ("gas", "tubing_leak", -1, 0, -1),
    ("gas", "freeze_off", 1, 1, -1),
    ("gas", "compressor_trip", -1, -1, -1),
    ("gas", "paraffin", 1, 1, -1),
    ("gas", "heading", 0, 0, 0),
    ("rod", "casing_leak", -1, None, -1),
    ("rod", "valve_stuck_closed", 1, 1, -1),
]


@pytest.mark.parametrize(("lift", "kind", "casing", "tubing", "flow"), SIGNATURES)
def test_an_event_shows_as_engineers_say(
    lift: Lift, kind: str, casing: int | None, tubing: int | None, flow: int | None
) -> None:
    well = steady_plunger() if lift == "plunger" else wells(lift, 1)[0]
    values = run(well, 72, happening(kind, 24, 72))
    before, during = values[: 24 * 60].mean(0), values[36 * 60 :].mean(0)
    for column, expected in ((CASING, casing), (TUBING, tubing), (FLOW, flow)):
        change = (during[column] - before[column]) / before[column]
        if expected is not None:
            assert np.sign(change) * (abs(change) > 0.015) == expected, (column, change)


def percentiles(values: Values) -> list[float]:
    return [float(value) for value in np.percentile(load(values), (5, 50, 95))]


def test_liquid_loading_lifts_the_lowest_load() -> None:
    values = run(steady_plunger(), 72, happening("liquid_loading", 24, 72))
    assert percentiles(values[36 * 60 :])[0] > percentiles(values[: 24 * 60])[0] + 10


def test_a_tubing_leak_takes_the_load_to_nothing() -> None:
    values = run(steady_plunger(), 72, happening("tubing_leak", 24, 72))
    assert max(abs(value) for value in percentiles(values[36 * 60 :])) < 4


def test_a_casing_leak_leaves_the_median_load_and_takes_the_lowest_below_nothing() -> None:
    values = run(steady_plunger(), 72, happening("casing_leak", 24, 72))
    before, during = percentiles(values[: 24 * 60]), percentiles(values[36 * 60 :])
    assert during[0] < 0
    assert during[1] == pytest.approx(before[1], abs=5)


def test_a_stuck_open_valve_ends_the_cycles() -> None:
    values = run(steady_plunger(), 72, happening("valve_stuck_open", 24, 72))
    stuck = values[30 * 60 :]
    assert np.ptp(stuck[:, FLOW]) < 20  # it decays, and no plunger brings it back
    assert np.std(stuck[:, TUBING] - stuck[:, LINE]) < 3
    assert percentiles(stuck)[1] > percentiles(values[: 24 * 60])[2]


def test_no_flow_in_a_freeze_off_and_normal_life_after_it() -> None:
    values = run(steady_plunger(), 96, happening("freeze_off", 24, 48, onset_h=0.5))
    assert (values[26 * 60 : 47 * 60, FLOW] == 0).all()
    assert np.abs(np.array(percentiles(values[72 * 60 :])) - percentiles(values[: 24 * 60])).max() < 6


def test_heading_spreads_the_load_and_leaves_its_median() -> None:
    values = run(wells("gas", 1)[0], 72, happening("heading", 24, 72))
    before, during = percentiles(values[: 24 * 60]), percentiles(values[36 * 60 :])
    assert during[2] - during[0] > 2 * (before[2] - before[0])
    assert during[1] == pytest.approx(before[1], abs=10)
