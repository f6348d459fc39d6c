"""What of the feedback counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.feedback import standing
from schemas.feedback import Feedback


def said(number: int, kind: str = "acknowledge", **more: Any) -> Feedback:
    return Feedback(
        feedback_id=f"f{number}", client_id="acme", machine_id="well-7", stack="load", incident_id="inc-1", kind=kind,
        by="ann", at="2026-11-24T02:44:10Z", **more,
    )  # fmt: skip


def ids(found: list[Feedback]) -> list[str]:
    return [one.feedback_id for one in found]


def test_what_is_undone_counts_no_more_and_an_undo_can_be_undone() -> None:
    first, undo, redo = said(1), said(2, "undo", undoes="f1"), said(3, "undo", undoes="f2")
    assert ids(standing([first])) == ["f1"]
    assert standing([first, undo]) == []
    assert ids(standing([first, undo, redo])) == ["f1"]


def test_an_undo_before_what_it_undoes_changes_nothing() -> None:
    assert ids(standing([said(2, "undo", undoes="f1"), said(1)])) == ["f1"]


def test_what_undoes_itself_changes_nothing() -> None:
    assert ids(standing([said(1), said(2, "undo", undoes="f2")])) == ["f1"]


@given(st.lists(st.integers(0, 9), max_size=10))
def test_what_is_sent_twice_counts_once(again: list[int]) -> None:
    once = [said(number) if number % 3 else said(number, "undo", undoes=f"f{number - 1}") for number in range(10)]
    assert standing([*once, *(once[number] for number in again)]) == standing(once)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("confirm", {}),
        ("comment", {}),
        ("shelve", {}),
        ("undo", {}),
        ("acknowledge", {"undoes": "f1"}),
        ("comment", {"text": "x", "until": "2026-11-24T02:44:10Z"}),
        ("confirm", {"from_time": "2026-11-24T02:44:10Z", "to_time": "2026-11-24T02:44:09Z"}),
    ],
)
def test_feedback_that_lacks_what_its_kind_needs_is_refused(kind: str, more: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        said(1, kind, **more)
