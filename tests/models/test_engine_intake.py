"""Which readings count: late ones, repeats, bad values, pairs of tags. Input, expected verdict, and why."""

from dataclasses import replace

import numpy as np
import pytest

from models.engine.batch import OTHER_TAG
from tests.models.engines import R, batch_of, labels_of, model, new_engine, run

CP, TP = "casing_pressure", "tubing_pressure"


def reasons(readings: list[R], **settings: object) -> list[str | None]:
    return [label.reason for label in run(new_engine(**settings), readings)]


@pytest.mark.parametrize(
    ("readings", "expected", "why"),
    [
        ([R(1, 300, 200)], ["warming_up"], "nothing can score the first reading"),
        ([R(1, 300, None)], ["missing_signal"], "no tubing pressure"),
        ([R(1, 9999, 200)], ["bad_quality"], "a sentinel"),
        ([R(1, 25_000, 200)], ["bad_quality"], "more than any wellhead gauge shows"),
        ([R(1, float("inf"), 200)], ["bad_quality"], "an infinity"),
        ([R(1, 300, 200, bad=True)], ["bad_quality"], "its own system says so"),
        ([R(1, 9999, None)], ["bad_quality"], "bad says more than missing"),
        ([R(2, 300, 200), R(1, 300, 200)], ["warming_up", "warming_up"], "older than the newest: put in its place"),
        ([R(2, 300, 200), R(2, 301, 200)], ["warming_up", "duplicate"], "the same moment again"),
        ([R(2, 300, 200), R(1, 300, 200, "other")], ["warming_up", "warming_up"], "each machine has its own time"),
    ],
)
def test_a_reading_that_cannot_be_scored_says_why(readings: list[R], expected: list[str], why: str) -> None:
    assert reasons(readings) == expected, why


def test_tags_measured_together_make_one_label_that_names_both() -> None:
    labels = run(new_engine(), [R(1, 300, tag=CP), R(1.01, tubing=200, tag=TP)])
    assert [(label.source_offset, label.partner_offset, label.value) for label in labels] == [(1, 0, 100.0)]


def test_the_order_of_two_tags_does_not_matter() -> None:
    labels = run(new_engine(), [R(1, tubing=200, tag=TP), R(1.01, 300, tag=CP)])
    assert [(label.source_offset, label.partner_offset, label.value) for label in labels] == [(1, 0, 100.0)]


def test_a_pair_is_as_old_as_its_younger_half() -> None:
    labels = run(new_engine(), [R(1.01, 300, tag=CP), R(1, tubing=200, tag=TP)])
    assert labels[0].event_time.endswith("14:20.600Z"[-7:])


def test_tags_further_apart_than_the_tolerance_are_no_pair() -> None:
    assert run(new_engine(), [R(1, 300, tag=CP), R(1.5, tubing=200, tag=TP)])[0].reason == "warming_up"
    labels = run(new_engine(), [R(1, 300, tag=CP), R(20, tubing=200, tag=TP)])
    assert [label.reason for label in labels] == ["stale_pair"], "the casing pressure is nineteen minutes old"


def test_the_last_value_of_a_silent_partner_is_held_until_it_is_stale() -> None:
    readings = [R(0, 300, tag=CP), R(0, tubing=200, tag=TP)] + [R(m, 300, tag=CP) for m in range(1, 15)]
    labels = run(new_engine(), readings)
    held = [label for label in labels if label.reason == "warming_up"]
    stale = [label for label in labels if label.reason == "stale_pair"]
    assert [label.source_offset for label in held] == [1, *range(3, 12)], "minute 1 waits for its partner, then 2 to 10"
    assert [label.source_offset for label in stale] == [12, 13, 14, 15], "from minute 11 on"


def test_a_tag_whose_partner_never_came_is_missing_a_signal() -> None:
    assert reasons([R(1, 300, tag=CP), R(2, 300, tag=CP)]) == ["missing_signal"]


def test_a_tag_that_no_stack_asks_for_is_held_and_touches_no_other() -> None:
    engine = new_engine()
    both = [R(1, 300, tag=CP), R(1, tubing=200, tag=TP)]
    strange = replace(batch_of(engine, [R(1, tubing=7, tag=TP)]), tag=np.array([OTHER_TAG]))
    assert labels_of(engine, strange) == []
    assert [label.value for label in run(engine, both, 1)] == [100.0]


def test_a_flat_well_with_a_model_is_scored_once_its_window_holds_a_quarter() -> None:
    engine = new_engine()
    engine.adopt(model(), 0)
    labels = run(engine, [R(float(m), 300, 200) for m in range(12)])
    assert [label.label for label in labels] == ["unscored"] * 9 + ["normal"] * 3
    assert labels[-1].surprise == 0.0
    assert (labels[-1].expected_low, labels[-1].expected_high) == (90.0, 110.0)
    assert (labels[-1].model_digest, labels[-1].model_rung, labels[-1].model_since_offset) == ("0" * 15 + "1", "own", 0)
