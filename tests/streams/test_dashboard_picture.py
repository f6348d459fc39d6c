"""What the dashboard makes of what it reads."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadInputFile
from schemas.feedback import Feedback
from schemas.labels import Label
from streams.dashboard.areas import read_areas
from streams.dashboard.incidents import answer
from streams.dashboard.live_rows import LiveRows
from streams.dashboard.machines import Key
from streams.dashboard.picture import Picture
from streams.dashboard.seen import LabelSeen, see_incident, see_label
from streams.dashboard.urgency import urgency, why
from streams.dashboard.versions import Versions
from streams.dashboard.viewer import Viewer
from streams.dashboard.wire import COLUMNS
from tests.dashboard_at_hand import START_MS, incident, label

ALL = Viewer("ann", "see", None)
OTHERS = Viewer("bob", "see", frozenset({"other"}))
KEY: Key = ("acme", "well-1", "load")


def seen(made: Label) -> tuple[LabelSeen, int]:
    return see_label(made.model_dump_json().encode()), START_MS


def alarmed(machine: str = "well-1", offset: int = 9, **more: Any) -> Label:
    found = {
        "value": 231.0,
        "surprise": 5.2,
        "label": "anomalous",
        "alert": "open",
        "incident_id": f"inc-load-0-{offset}-0",
    }
    return label(machine, offset, **{**found, **more})


def picture(*labels: Label) -> Picture:
    made = Picture()
    made.take_labels(seen(one) for one in labels)
    return made


def shown(message: bytes | None) -> dict[str, dict[str, Any]]:
    assert message is not None
    return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in msgspec.json.decode(message)["rows"]}


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans())))
def test_who_asks_now_and_then_misses_no_change_and_is_told_none_twice(steps: list[tuple[str, bool]]) -> None:
    versions = Versions[str]()
    changed: set[str] = set()
    told_up_to = 0
    for key, asks in steps:
        versions.touch(key)
        changed.add(key)
        if asks:
            told = versions.since(told_up_to)
            assert sorted(told) == sorted(changed)
            changed.clear()
            told_up_to = versions.latest
    assert all(versions.of(key) <= versions.latest for key in "abcdef")


@given(st.permutations(range(6)))
def test_a_row_shows_the_newest_label_in_whatever_order_they_come(order: list[int]) -> None:
    row = picture(*(label("well-1", offset, value=float(offset)) for offset in order)).rows[KEY]
    assert (row.value, row.time_ms) == (5.0, START_MS + 5 * 60_000)


def test_the_time_in_a_state_begins_with_the_label_that_changed_it() -> None:
    row = picture(label("well-1", 1), alarmed(offset=2), alarmed(offset=3)).rows[KEY]
    assert (row.state, row.since_ms) == ("incident", START_MS + 2 * 60_000)


def test_a_machine_falls_silent_and_comes_back() -> None:
    made = picture(label("well-1", 1))
    before = made.rows_changed.latest
    made.look_at_the_clock(START_MS + 299_999, 300_000)
    assert made.rows[KEY].state == "normal"
    made.look_at_the_clock(START_MS + 300_000, 300_000)
    assert made.rows[KEY].state == "silent"
    assert made.rows_changed.since(before) == [KEY]
    made.take_labels([seen(label("well-1", 2))])
    assert made.rows[KEY].state == "normal"


def said(kind: str, **more: Any) -> Feedback:
    return Feedback(
        feedback_id=f"{kind}-1", client_id="acme", machine_id="well-1", stack="load", incident_id="inc-load-0-9-0",
        kind=kind, by="ann", at="2026-11-24T03:00:00Z", **more,
    )  # fmt: skip


def test_feedback_counts_whether_it_comes_before_or_after_its_incident() -> None:
    for feedback_first in (True, False):
        made = picture(alarmed())
        takes = [
            lambda made=made: made.take_feedback(said("acknowledge")),
            lambda made=made: made.take_incident(see_incident(incident("well-1", 9).model_dump_json().encode())),
        ]
        for take in takes if feedback_first else reversed(takes):
            take()
        made.take_feedback(said("acknowledge"))
        case = made.incidents.cases["inc-load-0-9-0"]
        assert answer(case.standing()).acknowledged_by == "ann"
        assert len(case.said) == 1


def test_who_is_looked_after_is_less_urgent_and_who_is_a_false_alarm_or_shelved_not_at_all() -> None:
    made = picture(alarmed(offset=9), alarmed(offset=70))
    row, found = made.rows[KEY], see_incident(incident("well-1", 9).model_dump_json().encode())
    row.incident_id = found.incident_id
    alone = urgency(row, found, None, START_MS)
    assert alone > found.peak_surprise
    assert 0 < urgency(row, found, answer([said("acknowledge")]), START_MS) < alone
    wrong = said("false_alarm", from_time="2026-11-24T02:09:00Z")
    assert urgency(row, found, answer([wrong]), START_MS) == 0
    shelved = answer([said("shelve", until="2026-11-24T04:00:00Z")])
    assert urgency(row, found, shelved, START_MS) == 0
    assert urgency(row, found, shelved, START_MS + 7_200_000) == alone
    assert why(row, found, None) == "load 231.0 where 140.0 to 165.0 is usual"


def test_a_browser_is_sent_all_rows_it_may_see_and_then_what_changed() -> None:
    made = picture(label("well-1", 1), label("well-2", 1), label("well-9", 1, client_id="other"))
    live = LiveRows(made, {("acme", "well-1"): "north"}, lambda: START_MS)
    assert {row["machine"] for row in shown(live.whole(ALL)).values()} == {"well-1", "well-2", "well-9"}
    assert {row["machine"] for row in shown(live.whole(OTHERS)).values()} == {"well-9"}
    version = live.version
    assert live.since(ALL, version) is None
    made.take_labels([seen(alarmed())])
    (row,) = shown(live.since(ALL, version)).values()
    assert (row["machine"], row["state"], row["area"]) == ("well-1", "incident", "north")
    assert live.since(OTHERS, version) is None
    assert live.in_view(ALL, version, frozenset({("acme", "well-2", "load")})) is None
    assert live.in_view(OTHERS, version, frozenset({KEY})) is None
    assert live.in_view(ALL, version, frozenset({KEY})) == live.since(ALL, version)


def test_a_table_of_areas_that_lacks_something_is_refused_with_its_line(tmp_path: Path) -> None:
    table = tmp_path / "areas.csv"
    table.write_text("client_id,machine_id,area\nacme,well-1,north\nacme,,south\n")
    with pytest.raises(BadInputFile, match=r"areas\.csv, line 3"):
        read_areas(str(table))
    table.write_text("machine_id,area\n")
    with pytest.raises(BadInputFile, match="lacks a column"):
        read_areas(str(table))
    table.write_text("client_id,machine_id,area\nacme,well-1,north\n")
    assert read_areas(str(table)) == {("acme", "well-1"): "north"}
    assert read_areas(None) == {}
