"""What is kept of what people said, for training."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.feedback import standing
from models.heard import Heard
from schemas.feedback import Feedback


def said(identifier: str, kind: str = "false_alarm", machine: str = "well-7", **more: Any) -> Feedback:
    if kind in ("confirm", "false_alarm"):
        more = {"stack": "load", "from_time": "2026-11-24T02:44:10Z"} | more
    return Feedback.model_validate(
        {
            "feedback_id": identifier, "client_id": "acme", "machine_id": machine, "stack": None, "incident_id": None,
            "kind": kind, "by": "ann", "at": "2026-11-24T04:00:00Z", **more,
        }
    )  # fmt: skip


def ids(heard: Heard, machine: str = "well-7", stack: str = "load") -> list[str]:
    return [one.feedback_id for one in heard.standing("acme", machine, stack)]


def test_only_what_training_goes_by_is_kept_and_each_says_whose_stack_it_is_of() -> None:
    heard = Heard(lambda _: None)
    assert heard.take(said("f1", text="a valve stuck")) == "load"
    assert heard.take(said("f2", "comment", text="looks odd")) is None
    assert heard.take(said("f3", "acknowledge")) is None
    assert heard.take(said("f4", "undo", undoes="f2")) is None, "nothing that training went by is undone"
    assert len(heard) == 1
    assert heard.take(said("f5", "undo", undoes="f1")) == "load"
    assert ids(heard) == []
    assert heard.take(said("f6", "undo", undoes="f5")) == "load"
    assert ids(heard) == ["f1"]
    assert ids(heard, stack="flow") == []


def test_what_comes_again_is_due_again_and_counts_once() -> None:
    heard = Heard(lambda _: None)
    for one in (said("f1"), said("f1"), said("f2", "confirm"), said("f1")):
        assert heard.take(one) == "load"
    assert ids(heard) == ["f1", "f2"]


def test_beyond_its_bounds_the_oldest_is_forgotten_and_told() -> None:
    forgotten: list[str] = []
    heard = Heard(lambda one: forgotten.append(one.feedback_id), most_of_a_machine=3, most=5)
    for number in range(5):
        heard.take(said(f"f{number}"))
    assert (ids(heard), forgotten) == (["f2", "f3", "f4"], ["f0", "f1"])
    for number in range(5, 8):
        heard.take(said(f"f{number}", machine=f"other-{number}"))
    assert forgotten == ["f0", "f1", "f2"]
    assert ids(heard) == ["f3", "f4"]
    assert len(heard) == 5


@given(
    st.lists(st.tuples(st.sampled_from(["confirm", "false_alarm", "undo", "comment"]), st.integers(0, 12)), max_size=12)
)
def test_what_stands_is_what_stands_of_all_that_was_said(kinds: list[tuple[str, int]]) -> None:
    heard, everything = Heard(lambda _: None), []
    for number, (kind, other) in enumerate(kinds):
        more = {"undo": {"undoes": f"f{other}"}, "comment": {"text": "hm"}}.get(kind, {})
        everything.append(said(f"f{number}", kind, **more))
        heard.take(everything[-1])
    expected = [one.feedback_id for one in standing(everything) if one.kind in ("confirm", "false_alarm")]
    assert ids(heard) == expected
