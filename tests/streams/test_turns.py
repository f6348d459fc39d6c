"""Whose turn it is after a start of the worker."""

from streams.worker.turns import MOST_AHEAD, may_flow, start_of


def test_readings_that_may_have_been_judged_go_before_models_that_came_since() -> None:
    start = start_of(committed=400, readings_end=500, models_end=3, labels_end=420)
    assert may_flow(start, judged_to=400, models_read=2) == (True, False)
    assert may_flow(start, judged_to=499, models_read=2) == (True, False)
    assert may_flow(start, judged_to=500, models_read=2) == (False, True)
    assert may_flow(start, judged_to=500, models_read=3) == (True, True)


def test_where_nothing_was_ever_judged_models_go_first() -> None:
    start = start_of(committed=0, readings_end=500, models_end=3, labels_end=0)
    assert may_flow(start, judged_to=0, models_read=0) == (False, True)
    assert may_flow(start, judged_to=0, models_read=3) == (True, True)


def test_killed_before_its_first_commit_it_judges_again_before_it_takes_models() -> None:
    start = start_of(committed=0, readings_end=500, models_end=3, labels_end=1)
    assert may_flow(start, judged_to=0, models_read=3) == (True, False)


def test_a_backlog_waits_for_no_more_readings_than_another_may_have_judged() -> None:
    start = start_of(committed=1_000, readings_end=10**9, models_end=3, labels_end=1)
    assert start.again_to == 1_000 + MOST_AHEAD
