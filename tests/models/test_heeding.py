"""Which of a history a model is fitted to, once people have said what was real and what was not."""

from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.engine.codes import CLOSED, OPEN, OPENED, QUIET
from models.engine.engine import Engine
from models.engine.heeding import Settled, settle
from models.engine.requests import request_for_feedback
from schemas.feedback import Feedback
from schemas.times import moment
from schemas.training import TrainingRequest
from tests.models.engines import MINUTE_MS, STAMP, START_MS, R, model, new_engine, run

FROM, TO = 200, 260  # minutes of a fault


def said(kind: str, first: int | None, last: int | None = None, number: int = 1, **more: Any) -> Feedback:
    begin = moment(START_MS)
    return Feedback.model_validate(
        {
            "feedback_id": f"f{number}", "client_id": "acme", "machine_id": "well-1", "stack": "load",
            "incident_id": "inc-load-0-202-0", "kind": kind, "by": "ann", "at": begin,
            "from_time": None if first is None else begin + timedelta(minutes=first),
            "to_time": None if last is None else begin + timedelta(minutes=last), **more,
        }
    )  # fmt: skip


def settled(marked: list[bool], heard: list[Feedback], alerts: list[int] | None = None) -> Settled:
    times = START_MS + MINUTE_MS * np.arange(len(marked))
    return settle(times, np.array(alerts or [QUIET] * len(marked)), np.array(marked, bool), heard)


def places(found: Settled) -> list[int]:
    return np.flatnonzero(found.left_out).tolist()


def test_a_confirmed_stretch_is_left_out_and_a_false_alarm_is_not() -> None:
    marked = [minute in (4, 5) for minute in range(12)]
    assert places(settled(marked, [])) == [4, 5]
    found = settled(marked, [said("confirm", 8, 9, 1), said("false_alarm", 4, 5, 2)])
    assert places(found) == [8, 9]
    assert [(one.feedback_id, one.kind, one.by, one.readings) for one in found.heeded] == [
        ("f1", "confirm", "ann", 2), ("f2", "false_alarm", "ann", 2),
    ]  # fmt: skip
    assert found.heeded[0].from_time == moment(START_MS + 8 * MINUTE_MS)
    assert found.heeded[0].to_time == moment(START_MS + 9 * MINUTE_MS)


def test_the_readings_that_made_a_false_alarm_open_come_in_with_it() -> None:
    marked = [minute in (1, 3, 4, 5, 6) for minute in range(12)]
    assert places(settled(marked, [said("false_alarm", 5, 6)])) == [1]
    assert places(settled(marked, [said("confirm", 3, 4, 1), said("false_alarm", 5, 6, 2)])) == [1, 3, 4]


def test_of_two_about_one_reading_the_later_one_counts() -> None:
    found = settled([False] * 12, [said("confirm", 2, 6, 1), said("false_alarm", 4, 9, 2), said("confirm", 8, 9, 3)])
    assert places(found) == [2, 3, 8, 9]
    assert [one.readings for one in found.heeded] == [2, 4, 2]


def test_what_has_no_end_ends_with_its_alert() -> None:
    alerts = [QUIET, QUIET, OPENED, OPEN, OPEN, CLOSED, QUIET, QUIET, OPENED, OPEN, OPEN, OPEN]
    assert places(settled([False] * 12, [said("confirm", 2)], alerts)) == [2, 3, 4, 5]
    assert places(settled([False] * 12, [said("confirm", 8)], alerts)) == [8, 9, 10, 11]
    long_ago = said("confirm", -500)
    assert places(settled([False] * 12, [long_ago], alerts)) == [], "its alert is no longer in the history"
    assert places(settled([False] * 12, [said("confirm", 90)], alerts)) == []
    about_no_incident = said("confirm", 6, incident_id=None)
    assert places(settled([False] * 12, [about_no_incident], alerts)) == [6, 7, 8, 9, 10, 11]


def test_where_most_is_anomalous_the_model_no_longer_fits_but_people_are_believed() -> None:
    marked = [minute >= 4 for minute in range(12)]
    assert places(settled(marked, [])) == []
    assert places(settled(marked, [said("confirm", 10, 11)])) == [10, 11]
    few = [minute in (4, 5, 10, 11) for minute in range(12)]
    assert places(settled(few, [said("confirm", 6, 9)])) == [4, 5, 6, 7, 8, 9, 10, 11], "half of what nobody spoke of"


_stretches = st.lists(
    st.tuples(st.sampled_from(["confirm", "false_alarm"]), st.integers(-5, 45), st.integers(0, 20)), max_size=6
)


@given(marked=st.lists(st.booleans(), min_size=1, max_size=40), stretches=_stretches)
def test_people_have_the_last_word_and_without_them_it_is_as_ever(
    marked: list[bool], stretches: list[tuple[str, int, int]]
) -> None:
    heard = [said(kind, first, first + length, n) for n, (kind, first, length) in enumerate(stretches)]
    found = settled(marked, heard)
    word = {
        minute: kind for kind, first, length in stretches for minute in range(first, first + length + 1)
    }  # the last one's
    assert all(found.left_out[minute] == (word[minute] == "confirm") for minute in range(len(marked)) if minute in word)
    assert sum(one.readings for one in found.heeded) >= sum(minute in word for minute in range(len(marked)))
    if not heard:
        assert found.left_out.tolist() == ([False] * len(marked) if 2 * sum(marked) > len(marked) else marked)


# -- in a request


def lived() -> Engine:
    """Hours of 100 psi with an hour of 140 among them, that opened and closed an alert."""
    engine = new_engine(history=1024, first_fit=150)
    engine.adopt(model(), 0)
    loads = [100.0] * FROM + [140.0] * (TO - FROM) + [100.0] * 140
    run(engine, [R(float(m), 200 + load + m % 3, 200) for m, load in enumerate(loads)])
    return engine


def asked(engine: Engine, *heard: Feedback) -> TrainingRequest:
    request = request_for_feedback(engine.machines, "load", 0, 17, STAMP, lambda *_: heard)
    assert request is not None
    return request


def test_a_false_alarm_comes_into_training_a_confirmed_stretch_does_not_and_undone_all_is_as_before() -> None:
    engine = lived()
    before = asked(engine)
    assert max(before.medians[0]) < 125
    assert before.feedback == []
    false_alarm = asked(engine, said("false_alarm", FROM, TO + 30))
    assert max(false_alarm.medians[0]) > 139
    assert false_alarm.exclusions == []
    assert [one.feedback_id for one in false_alarm.feedback] == ["f1"]
    confirmed = asked(engine, said("confirm", 50, 79))
    assert (moment(START_MS + 50 * MINUTE_MS), moment(START_MS + 79 * MINUTE_MS)) in confirmed.exclusions
    assert len(confirmed.medians[0]) == len(before.medians[0]) - 30
    assert asked(engine) == before


def test_feedback_asks_for_a_model_after_the_first_one_was_due_and_leaves_enough_to_fit_to() -> None:
    request = asked(lived())
    assert (request.reason, request.request_id) == ("feedback", "load-0-399-17")
    young = new_engine(history=1024, first_fit=150)
    run(young, [R(float(m), 300, 200) for m in range(149)])
    assert request_for_feedback(young.machines, "load", 0, 17, STAMP, lambda *_: ()) is None
    everything = said("confirm", 0, 400)
    assert request_for_feedback(lived().machines, "load", 0, 17, STAMP, lambda *_: [everything]) is None
    online = new_engine(first_fit=50, detectors={"load": "half_space_trees"})
    run(online, [R(float(m), 300, 200) for m in range(60)])
    assert request_for_feedback(online.machines, "load", 0, 17, STAMP, lambda *_: ()) is None


def test_asking_changes_no_state() -> None:
    engine = lived()
    before = engine.records([("load", 0)], ())
    again = lived()
    asked(again, said("false_alarm", FROM, TO))
    assert again.records([("load", 0)], ()) == before
