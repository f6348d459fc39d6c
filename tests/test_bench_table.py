"""The table of what was promised hides nothing: a missed mark is shown as missed, a missing figure as not measured."""

from pathlib import Path
from xml.etree import ElementTree

from bench.curves import Point, draw
from bench.flame import self_time
from bench.table import BENCHES, MARKS, Mark, value_of, verdict

AT_LEAST = Mark("speed", "some", "a", 4.0, 6.0)
AT_MOST = Mark("delay", "some", "b", 25.0, 15.0, at_most=True)


def test_a_figure_stands_to_its_mark_as_it_does() -> None:
    assert [verdict(AT_LEAST, seen, ()) for seen in (3.99, 4.0, 6.0)] == ["MISSED", "reached", "surpassed"]
    assert [verdict(AT_MOST, seen, ()) for seen in (25.1, 25.0, 15.0)] == ["MISSED", "reached", "surpassed"]


def test_a_figure_that_is_not_there_is_told_and_why() -> None:
    assert verdict(AT_MOST, value_of({}, "b"), ()) == "not measured"
    assert verdict(AT_MOST, value_of({}, "b"), ["some"]) == "its bench broke"


def test_a_figure_may_be_a_bare_number() -> None:
    assert value_of({"a": 3}, "a") == value_of({"a": {"value": 3.0, "unit": "s"}}, "a") == 3.0


def test_each_mark_belongs_to_a_bench_that_is_run() -> None:
    assert {mark.bench for mark in MARKS} == {bench.name for bench in BENCHES}
    assert all((mark.go_for < mark.mark) == mark.at_most for mark in MARKS)


def test_self_time_is_that_of_what_is_on_top() -> None:
    ours, theirs = "main (/x/streams/cli/main.py:3)", "pack (/x/lib/site-packages/aiokafka/util.py:1)"
    assert self_time(f"{ours};{theirs} 3\n{ours} 2") == {"aiokafka": 3, "streams/cli/main.py": 2}


def test_curves_are_drawn_as_svg(tmp_path: Path) -> None:
    line = [Point(500, 2.0, 500_000.0), Point(50_000, 3.0, 330_000.0)]
    draw({"engine, window 40": line, "worker": line}, tmp_path / "curves.svg")
    assert ElementTree.parse(tmp_path / "curves.svg").getroot().tag.endswith("svg")
