"""Machines compared with each other, and what is said of it."""

import numpy as np
import pytest

from models.explore.fleet import Made, explore
from models.explore.machine import explore_machine
from models.explore.series import Floats, Series, make_series
from models.explore.units import among_machines, from_a_moment_on
from schemas.exploration import Exploration
from schemas.times import datetime_to_ms
from schemas.units import PSI_PER
from tests.models.test_explore_measures import MINUTE_MS, START_MS, minutes, noise, plunger

NAMES = ("casing_pressure", "tubing_pressure")
MADE = Made("0", "abc", "a test")


def machine(name: str, casing: Floats, tubing: Floats) -> Series:
    return make_series("acme", name, NAMES, minutes(len(casing)), np.column_stack((casing, tubing)))


def steady(index: int, factor: float = 1.0, count: int = 400) -> Series:
    level = 300 + 20 * (index % 7)
    casing, tubing = level + noise(count, index), level - 150 + noise(count, index + 100)
    return machine(f"well-{index}", casing * factor, tubing * factor)


@pytest.mark.parametrize(("unit", "name"), [("bar", "bar"), ("kpa", "kPa"), ("mpa", "MPa")])
def test_a_machine_in_another_unit_is_found_and_no_other(unit: str, name: str) -> None:
    fleet = [steady(index, 1 / PSI_PER[unit] if index == 4 else 1.0) for index in range(9)]
    found = among_machines(fleet)
    assert [(one.machine_id, one.signal, one.looks_like) for one in found] == [("well-4", s, name) for s in NAMES]
    assert found[0].factor == pytest.approx(PSI_PER[unit])


def test_many_machines_at_another_level_are_another_kind_of_well() -> None:
    assert among_machines([steady(index, 1 / PSI_PER["kpa"] if index < 4 else 1.0) for index in range(9)]) == []


def test_a_machine_that_is_merely_strong_is_in_no_other_unit() -> None:
    assert among_machines([steady(index, 3.0 if index == 4 else 1.0) for index in range(9)]) == []


@pytest.mark.parametrize(("first", "last"), [(3000, 6000), (3000, None), (0, 4000)])
def test_a_unit_that_changes_is_found_to_the_minute(first: int, last: int | None) -> None:
    casing, tubing = plunger(90, 8000), plunger(90, 8000, 1) - 120
    casing[first:last] /= PSI_PER["bar"]
    found = from_a_moment_on(machine("w", casing, tubing), 90 * MINUTE_MS)
    assert [one.signal for one in found] == ["casing_pressure"]
    (its,) = found
    if first:
        assert (its.looks_like, its.instead_of) == ("bar", "psi")
        assert its.since is not None
        assert datetime_to_ms(its.since) == START_MS + first * MINUTE_MS
    else:  # as it began, so it is taken for right
        assert (its.looks_like, its.instead_of) == ("psi", "bar")
    if first and last:
        assert its.until is not None
        assert datetime_to_ms(its.until) == START_MS + (last - 1) * MINUTE_MS


def test_a_plunger_s_own_falls_are_no_other_unit() -> None:
    tubing = np.where(np.arange(8000) % 90 < 60, 450.0, 65.0) + noise(8000)  # by 6.9, as psi and kPa
    assert from_a_moment_on(machine("w", tubing + 30, tubing), 90 * MINUTE_MS) == []
    assert from_a_moment_on(machine("w", tubing + 30, tubing), None) == []


def test_the_strangest_stretch_is_where_it_was_planted() -> None:
    casing, tubing = 300 + noise(20_000), 150 + noise(20_000, 1)
    tubing[12_000:12_300] += 40
    its = explore_machine(machine("w", casing, tubing))
    strangest = its.strange[0]
    assert (strangest.signal, strangest.measure) == ("tubing_pressure", "level")
    begin, end = (datetime_to_ms(at) - START_MS for at in (strangest.start, strangest.end))
    assert begin / MINUTE_MS == pytest.approx(12_000, abs=60)
    assert end / MINUTE_MS == pytest.approx(12_300, abs=60)
    assert strangest.value == pytest.approx(190, abs=1)


@pytest.fixture(scope="module")
def two_kinds() -> Exploration:
    """Six plunger wells and five rod pumps, one of which hangs."""
    plungers = [machine(f"plunger-{i}", plunger(90, 3000, i) + 5 * i, plunger(90, 3000, i) - 120) for i in range(6)]
    rods = [machine(f"rod-{i}", 60 + i + noise(3000, i), 120 + noise(3000, i + 9)) for i in range(5)]
    hanging = rods[2].values[:, 0].copy()
    hanging[1000:1500] = hanging[1000]
    rods[2] = machine("rod-2", hanging, rods[2].signal("tubing_pressure"))
    return explore([*plungers, *rods], MADE)[0]


def test_two_kinds_of_wells_are_two_families(two_kinds: Exploration) -> None:
    kinds = [{name.split("-")[0] for name in family.machines} for family in two_kinds.families]
    assert kinds == [{"plunger"}, {"rod"}]
    for one in two_kinds.machines:
        assert {name.split("-")[0] for name in one.nearest} == {one.machine_id.split("-")[0]}


def test_what_matters_is_said_in_sentences(two_kinds: Exploration) -> None:
    said = [one.sentence for one in two_kinds.findings]
    assert said[0].startswith(
        "11 machines: 33,000 readings of casing pressure and tubing pressure, 2026-01-01 00:00 to"
    )
    assert any(one.startswith("The machines fall into 2 families: 6 like plunger-") for one in said)
    assert any(
        one.startswith("rod-2: casing pressure stands still while others move, 16.6 % of the time") for one in said
    )
    assert any("load is below 0" in one for one in said)
    assert sum(one.kind == "cycles" for one in two_kinds.findings) == 4, "three, and the rest together"


def test_what_happens_to_several_machines_at_once_is_one_sentence() -> None:
    fleet = [steady(index, count=6_000) for index in range(8)]
    for series in fleet[:4]:
        series.values[4_000:4_200, 1:] += 40.0
    fleet[6].values[2_000:2_200, 1:] += 40.0
    said = [one.sentence for one in explore(fleet, MADE)[0].findings if one.kind == "strange"]
    assert len(said) == 2
    assert said[0].startswith("4 machines are least like themselves at the same time, 2026-01-03 18:")
    assert said[0].endswith("well-0, well-1, well-2 and well-3.")
    assert said[1].startswith("well-6: least like the rest is 2026-01-02 09:")


def test_a_signal_that_a_historian_made_up_or_that_hardly_moves_is_told() -> None:
    knots = np.arange(0, 3001, 300)
    ruled = np.interp(np.arange(3000), knots, 600 + 20 * noise(len(knots))).round(3)
    found, _ = explore([machine("w", ruled, 900 + 0.01 * noise(3000))], MADE)
    said = [one.sentence for one in found.findings if one.machine == "w"]
    assert any(one.startswith("w: casing pressure runs in straight lines") for one in said)
    assert any(one.startswith("w: tubing pressure hardly moves: 899.9") for one in said)
    assert any(one.startswith("w: the load is below 0") for one in said)


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_few_readings_are_explored_as_well(count: int) -> None:
    found, alike = explore([steady(0, count=count)], MADE)
    assert (found.machines[0].readings, alike) == (count, None)
    assert Exploration.model_validate_json(found.model_dump_json()) == found


def test_a_machine_that_never_gave_a_value_is_explored_as_well() -> None:
    found, _ = explore([machine("w", np.full(50, np.nan), np.full(50, np.nan))], MADE)
    assert found.machines[0].signals[0].missing.share == 1.0
    assert any("no usable value in 100 %" in one.sentence for one in found.findings)
