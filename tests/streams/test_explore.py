"""`wellsentry explore` from files and from the topic, and its page as a person opens it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from typer.testing import CliRunner

from models.explore.fleet import Made, explore
from models.explore.series import Series, make_series
from schemas.exploration import Exploration
from schemas.times import iso
from schemas.units import PSI_PER
from streams.cli.main import app
from streams.explore.from_topic import to_batches
from streams.explore.gathering import Gathering, Wanted
from streams.explore.page import page as html_of
from streams.explore.running import Source, run_explore
from tests.conftest import MakeSettings
from tests.topics_at_hand import TopicsAtHand

START_MS = 1_767_225_600_000  # 2026-01-01
COUNT = 1_500
#: A machine's name that would be code if a page were careless.
NASTY = "<script>document.title='broken'</script>"
HANGS = range(500, 800)


def wells() -> dict[str, np.ndarray]:
    """Casing and tubing pressure by machine, a reading a minute: one hangs, one is in bar from minute 700 on."""
    made = {}
    for index, name in enumerate(("well-1", "well-2", "well-3", NASTY)):
        rng = np.random.default_rng(index)
        cycle = 60 * ((np.arange(COUNT) + 20 * index) % 90 < 60)
        made[name] = (np.array([300, 200]) + cycle[:, None] + rng.normal(size=(COUNT, 2))).round(3)
    made["well-2"][HANGS, 0] = made["well-2"][HANGS[0], 0]
    made["well-3"][700:] = (made["well-3"][700:] / PSI_PER["bar"]).round(4)
    return made


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file with the readings of all of them; well-1 misses an hour."""
    path = tmp_path_factory.mktemp("wells") / "wells.csv"
    lines = ["time,client_id,machine_id,Casing Pressure,Tubing Pressure"]
    for name, values in wells().items():
        for minute, (casing, tubing) in enumerate(values.tolist()):
            if name != "well-1" or not 200 <= minute < 260:
                lines.append(f"{iso(START_MS + 60_000 * minute)},acme,{name},{casing},{tubing}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def explored(csv: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The page of that file, and what the command said."""
    output = tmp_path_factory.mktemp("page") / "page.html"
    done = CliRunner().invoke(app, ["explore", str(csv), "--output", str(output)])
    assert done.exit_code == 0, done.output
    return output, done.stdout


def test_the_json_beside_the_page_has_all_that_was_planted(explored: tuple[Path, str]) -> None:
    output, said = explored
    found = Exploration.model_validate_json(output.with_suffix(".json").read_text())
    by_name = {machine.machine_id: machine for machine in found.machines}
    assert set(by_name) == set(wells())
    assert by_name["well-1"].gaps.longest[0].readings == 60
    assert by_name["well-2"].signals[0].frozen[0].readings == len(HANGS)
    assert {(one.machine_id, one.looks_like) for one in found.units} == {("well-3", "bar")}
    assert found.units[0].since is not None
    assert found.units[0].since.isoformat() == "2026-01-01T11:40:00+00:00"
    assert by_name["well-1"].cycles is not None
    assert by_name["well-1"].cycles.median_min == pytest.approx(90, abs=1)
    assert "4 machines: 5,940 readings of casing pressure and tubing pressure" in said
    assert (
        "well-3: casing pressure and tubing pressure look as if in bar instead of psi, from 2026-01-01 11:40 on" in said
    )


def test_a_person_reads_the_page_on_a_phone_in_the_dark(explored: tuple[Path, str], page: Page) -> None:
    page.set_viewport_size({"width": 380, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.goto(explored[0].as_uri())
    assert page.title().startswith("What the readings look like")
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    assert page.locator("ol.findings li").count() >= 4
    assert page.get_by_text(NASTY).count() > 0
    # Whoever cannot see hears what a picture shows and what a cell belongs to.
    assert page.locator("svg").count() > 10
    assert page.locator("svg:not([role=img]), svg:not([aria-label])").count() == 0
    assert page.locator("table:not(:has(caption)), table:not(:has(th[scope=col])), tr:not(:has(th))").count() == 0
    assert page.locator("html[lang=en]").count() == page.locator("main").count() == page.locator("h1").count() == 1


def test_a_sentence_leads_to_its_machine(explored: tuple[Path, str], page: Page) -> None:
    page.goto(explored[0].as_uri())
    machine = page.locator("h2.machine", has_text="well-3")
    assert not machine.is_visible()
    page.locator("ol.findings a", has_text="well-3").first.click()
    assert machine.is_visible()
    lanes = page.locator("details[open] svg").first
    assert lanes.locator("path.line").count() == 3, "casing, tubing and load"
    box = lanes.bounding_box()
    assert box is not None
    assert box["height"] > 200


def messages(form: str) -> Iterator[dict[str, Any]]:
    """The wells as messages: wide, by tag, or with the units their pressures are said to be in."""
    for name, values in wells().items():
        for minute, (casing, tubing) in enumerate(values.tolist()):
            common = {"client_id": "acme", "machine_id": name, "time": iso(START_MS + 60_000 * minute)}
            if form == "wide":
                yield common | {"casing_pressure": casing, "tubing_pressure": tubing}
            else:
                yield common | {"tag": "Casing Pressure", "value": casing}
                yield common | {"tag": "TP", "value": tubing}


@pytest.mark.parametrize("form", ["wide", "tag"])
def test_of_messages_the_same_is_found_as_of_the_file(form: str, explored: tuple[Path, str]) -> None:
    gathering = Gathering(Wanted(machine_ids=("well-2", "well-3")))
    values = [json.dumps(message).encode() for message in messages(form)]
    for at in range(0, len(values), 3_000):
        batches, refused = to_batches(values[at : at + 3_000])
        assert refused == 0
        for batch in batches:
            gathering.add(batch)
    found, _ = explore(gathering.series(), Made("0", "abc", "a test"))
    of_file = Exploration.model_validate_json(explored[0].with_suffix(".json").read_text())
    same = {one.machine_id: one.model_copy(update={"family": None, "nearest": []}) for one in of_file.machines}
    assert list(found.machines) == [same["well-2"], same["well-3"]]


def test_a_topic_is_explored_whatever_is_in_it(
    any_broker_url: str, make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings(any_broker_url)
    at = TopicsAtHand(settings)
    in_bar = [
        {
            "client_id": client,
            "machine_id": "well-7",
            "time": START_MS + 60_000 * minute,
            "cp": 20.0 + minute,
            "unit": "bar",
        }
        for minute in range(40)
        for client in ("acme", "other")
    ]
    at.feed(in_bar)
    at.send(settings.topics.readings.name, [(b"well-7", b"no reading"), (b"well-7", None)])
    at.close()
    wanted = Wanted("acme", from_ms=START_MS + 600_000)
    found = run_explore(settings, Source(), wanted, tmp_path / "page.html", START_MS + 10**9, lambda *_: None)
    (machine,) = found.machines
    assert (machine.client_id, machine.machine_id, machine.readings) == ("acme", "well-7", 30)
    assert machine.signals[0].distribution is not None
    assert machine.signals[0].distribution.minimum == pytest.approx(30 * PSI_PER["bar"])
    assert "2 of its messages are no readings" in found.source


def drawn(fleet: list[Series]) -> str:
    exploration, alike = explore(fleet, Made("0", "abc", "a test"))
    return html_of(exploration, fleet, alike)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_few_readings_and_two_clients_with_the_same_name_are_drawn(count: int) -> None:
    time_ms, values = START_MS + np.arange(count, dtype=np.int64), np.full((count, 1), np.nan)
    fleet = [make_series(client, "well-7", ["flow_rate"], time_ms, values) for client in ("acme", "other")]
    fleet.append(make_series("other", "well-8", ["flow_rate"], time_ms, values + 1))
    fleet.append(make_series("other", "well-9", ["flow_rate"], time_ms, np.zeros((count, 1))))
    html = drawn(fleet)
    assert '<a href="#m1">other/well-7</a>' in html
    assert '<a href="#m2">well-8</a>' in html


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--machine", "nobody"), "no reading in"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), "--from must be before --to"),
        (("--output", "page.pdf"), "ends in .html"),
        (("--unit", "ell"), "no pressure unit"),
    ],
)
def test_what_cannot_be_explored_is_said(csv: Path, arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    where = () if "--output" in arguments else ("--output", str(tmp_path / "page.html"))
    done = CliRunner().invoke(app, ["explore", str(csv), *where, *arguments])
    assert done.exit_code != 0
    assert words in " ".join((done.output + str(done.exception)).split())
