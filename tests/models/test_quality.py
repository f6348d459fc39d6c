"""Defects of the data are recognised by the signal's own past, and what is no defect is left alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.models.engines import R, new_engine, run

_KPA = 6.894757293168361


def wobbling(count: int, first: int = 0, casing: float = 300.0, tubing: float = 200.0) -> list[R]:
    """Readings of a calm well, a minute apart: both pressures move by some psi."""
    rng = np.random.default_rng(3 + first)
    steps = rng.normal(0, 2, (count, 2)).round(1)
    return [R(float(first + i), casing + a, tubing + b) for i, (a, b) in enumerate(steps.tolist())]


def reasons(readings: Sequence[R]) -> list[Any]:
    return [label.reason for label in run(new_engine(detectors={"load": "ensemble"}), readings)]


def test_a_single_value_far_off_is_a_spike_and_the_next_is_scored() -> None:
    readings = wobbling(100)
    readings[80] = readings[80]._replace(casing=700.0)
    assert reasons(readings)[79:82] == [None, "spike", None]


def test_a_jump_that_stays_is_believed_at_its_third_reading() -> None:
    readings = wobbling(80) + wobbling(20, 80, casing=420.0)
    assert reasons(readings)[79:84] == [None, "spike", "spike", None, None]


@pytest.mark.parametrize("nothing", [0.0, -1.0])
def test_an_exact_zero_or_minus_one_is_no_pressure(nothing: float) -> None:
    readings = wobbling(100)
    readings[80] = readings[80]._replace(tubing=nothing)
    assert reasons(readings)[79:82] == [None, "bad_quality", None]


@pytest.mark.parametrize("factor", [_KPA, _KPA / 100])
def test_pressures_in_another_unit_are_recognised_until_they_are_back(factor: float) -> None:
    there = [
        r._replace(casing=r.casing * factor, tubing=r.tubing * factor)
        for r in wobbling(30, 80)
        if r.casing and r.tubing
    ]
    made = reasons(wobbling(80) + there + wobbling(20, 110))
    assert made[80:110] == ["unit_changed"] * 30
    assert made[111:] == [None] * 19


def test_a_gauge_that_stands_still_while_the_other_moves_is_frozen() -> None:
    readings = wobbling(200)
    readings[100:] = [r._replace(casing=readings[100].casing) for r in readings[100:]]
    made = reasons(readings)
    assert made[100:129] == [None] * 29
    assert made[131:] == ["frozen"] * 69


def test_a_well_that_stands_still_as_a_whole_is_not_frozen() -> None:
    readings = wobbling(200)
    readings[100:] = [r._replace(casing=readings[100].casing, tubing=readings[100].tubing) for r in readings[100:]]
    assert set(reasons(readings)[100:]) == {None}


def test_a_deadband_that_always_held_values_for_long_is_no_fault() -> None:
    readings = [R(float(i), 300.0 + 2.0 * (i // 45 % 2), 200.0 + i % 3) for i in range(600)]
    assert "frozen" not in reasons(readings)[200:]


def test_what_is_recognised_does_not_move_the_median() -> None:
    calm = wobbling(200)
    spiked = [r._replace(casing=900.0) if i in (120, 140, 160) else r for i, r in enumerate(calm)]
    medians = [[label.median for label in run(new_engine(), readings)] for readings in (calm, spiked)]
    assert max(abs(a - b) for a, b in zip(*medians, strict=True)) < 1.0
