"""A label made again: from topics and registry, from a case's directory, and what is said where that cannot be."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient
from playwright.sync_api import Page
from typer.testing import CliRunner, Result

from schemas.errors import BadCase, LabelNotFound
from schemas.labels import Label
from streams.build_info import BuildInfo
from streams.cli.main import app
from streams.registry import Registry
from streams.replay import given
from streams.reproduce.again import make_again
from streams.reproduce.case_files import load_case, save_case
from streams.reproduce.gathering import Gathering
from streams.reproduce.label_ids import parse_label_id
from streams.reproduce.places import Enough, Message, OnTopics
from streams.settings import RegistrySettings, Settings, load_settings
from tests.chaos.fleet import Fleet
from tests.chaos.whole_topics import whole
from tests.conftest import MakeSettings
from tests.parts import do_without
from tests.streams.judged import BUILD, Judged
from tests.streams.read_places import ReadOnce

BURSTS = 450
Gather = Callable[..., Gathering]


@pytest.fixture(scope="module")
def judged(embedded_broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """Four machines, of which one sends late, one by tag and one has events, with models that were refit twice."""
    broker = {"url": embedded_broker_url, "topic_prefix": "test-reproduce", "partitions": 2}
    registry = {"url": str(tmp_path_factory.mktemp("registry"))}
    made = Judged(load_settings(broker=broker, registry=registry))
    fleet = Fleet(seed=3, machines=4)
    made.feed(message for number in range(BURSTS) for one in fleet.burst(number) for message in shifted(one, number))
    made.judge()
    yield made
    made.close()


def shifted(one: Any, number: int) -> Iterator[tuple[bytes, bytes]]:
    """A message of a burst, if it is good; from one burst on a machine has more pressure in its casing."""
    if not one.good:
        return
    reading = json.loads(one.value)
    if one.home == "well-000" and number >= BURSTS - 40:
        reading["casing_pressure"] += 60.0
    yield one.key, json.dumps(reading).encode()


@pytest.fixture(scope="module")
def read_once(judged: Judged) -> ReadOnce:
    """The topics, read once for many labels."""
    topics = judged.settings.topics
    return ReadOnce(*(whole(judged.settings, one.name) for one in (topics.readings, topics.labels, topics.models)))


@pytest.fixture(scope="module")
def places(judged: Judged) -> Iterator[OnTopics]:
    with OnTopics(judged.settings) as connected:
        yield connected


@pytest.fixture
def gathering(judged: Judged, places: OnTopics) -> Gathering:
    return Gathering(places, judged.registry, lambda *_: [], 65_536)


def some_label(judged: Judged, wanted: Callable[[Label], bool]) -> Label:
    """The last label that is as wanted."""
    return [label for label in map(Label.model_validate_json, judged.labels) if wanted(label)][-1]


def is_judged_late(label: Label) -> bool:
    return label.model_rung == "own" and label.source_offset > 600


def test_labels_chosen_at_random_are_made_again_to_the_letter(judged: Judged, read_once: ReadOnce) -> None:
    gathering = Gathering(read_once, judged.registry, lambda *_: [], 65_536)
    labels = [Label.model_validate_json(one) for one in judged.labels]
    chosen = random.Random(7).sample(labels, 20)
    chosen += [label for label in labels if label.revision][:: len(labels) // 300 + 1][:8]
    chosen += [label for label in labels if label.partner_offset is not None][-3:]
    chosen += [label for label in labels if label.alert in ("opened", "closed")][-3:]
    with_state = 0
    for label in chosen:
        found, found_in = gathering.find_label(parse_label_id(label.label_id), None, None)
        assert (found, found_in) == (label, "topic")
        again = make_again(gathering.gather(found, found_in), BUILD)
        assert again.reproduction.outcome == "identical", again.reproduction
        with_state += again.reproduction.from_offset >= 0
    assert with_state > 7, "most begin at the state that a refit left"
    assert any(label.revision for label in chosen)


def test_a_field_that_came_out_otherwise_is_named_with_the_reason(judged: Judged, gathering: Gathering) -> None:
    label = some_label(judged, is_judged_late)
    evidence = gathering.gather(label.model_copy(update={"surprise": 9.9, "git_commit": "0ther"}), "file")
    found = make_again(evidence, BuildInfo("0.2.0", "this1", True)).reproduction
    assert found.outcome == "differs"
    assert [(one.field, one.then, one.now) for one in found.differences] == [("surprise", 9.9, label.surprise)]
    assert found.why == [
        "it was made by commit 0ther (version 0.1.0), this is this1 (version 0.2.0): `--with-its-code` makes it again by "
        "its own"
    ]


def test_without_its_model_a_label_is_not_made_again_and_that_is_said(
    judged: Judged, places: OnTopics, tmp_path: Path
) -> None:
    label = some_label(judged, is_judged_late)
    empty = Registry(RegistrySettings(url=str(tmp_path)))
    found = make_again(Gathering(places, empty, lambda *_: [], 65_536).gather(label, "topic"), BUILD).reproduction
    assert found.outcome in ("differs", "not_judged")
    assert found.looked_up is None
    assert any(
        f"model {label.model_digest}, in force since offset {label.model_since_offset}" in one for one in found.why
    )


@pytest.fixture(scope="module")
def gapped(embedded_broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """A machine of which a few new readings come, and then hundreds of older ones that were held up."""
    broker = {"url": embedded_broker_url, "topic_prefix": "test-gapped", "partitions": 1}
    made = Judged(load_settings(broker=broker, registry={"url": str(tmp_path_factory.mktemp("registry"))}))
    minutes = [*range(220), *range(460, 490), *range(220, 460), *range(490, 600)]
    shape = '{"machine_id": "well-7", "time": %d, "casing_pressure": %.1f, "tubing_pressure": 200}'
    noise = random.Random(7)
    made.feed((b"well-7", (shape % (1_767_225_600 + 60 * one, noise.gauss(300, 5))).encode()) for one in minutes)
    made.judge()
    yield made
    made.close()


def test_a_label_that_hundreds_of_late_readings_corrected_is_made_again(gapped: Judged) -> None:
    label = max(map(Label.model_validate_json, gapped.labels), key=lambda one: one.revision)
    assert label.revision > 12, "given behind more readings than are usually looked at"
    with OnTopics(gapped.settings) as places:
        gathering = Gathering(places, gapped.registry, lambda *_: [], 65_536)
        found, found_in = gathering.find_label(parse_label_id(label.label_id), None, None)
        assert (found, found_in) == (label, "topic")
        evidence = gathering.gather(found, found_in)
    assert make_again(evidence, BUILD).reproduction.outcome == "identical"
    assert len(evidence.readings) < 600, "and it is not all of the topic"


class PastRetention:
    """Topics of which the oldest readings, and labels, are gone."""

    def __init__(self, places: OnTopics, first_offset: int) -> None:
        self._places, self._first = places, first_offset

    def first_reading(self, partition: int) -> int:
        return max(self._first, self._places.first_reading(partition))

    def reading(self, partition: int, offset: int) -> Message | None:
        return self._places.reading(partition, offset) if offset >= self._first else None

    def readings(self, partition: int, key: bytes, first_offset: int, end: int, enough: Enough) -> list[Message]:
        return self._places.readings(partition, key, max(first_offset, self._first), end, enough)

    def labels(self, partition: int, key: bytes | None, since: int, end: int, enough: Enough) -> list[Message]:
        found = self._places.labels(partition, key, since, end, enough)
        return [one for one in found if json.loads(one.value or b"")["source_offset"] >= self._first]

    def models(self, partition: int) -> list[Message]:
        return self._places.models(partition)


def test_past_retention_the_model_is_asked_about_what_the_label_carries(judged: Judged, places: OnTopics) -> None:
    label = some_label(judged, lambda one: is_judged_late(one) and one.score is not None and one.revision == 0)
    gone = PastRetention(places, 10_000)
    gathering = Gathering(gone, judged.registry, lambda *_: [], 65_536)
    with pytest.raises(LabelNotFound, match="give --client and --machine"):
        gathering.find_label(parse_label_id(label.label_id), None, None)
    stored = Gathering(gone, judged.registry, lambda *_: judged.of(label.machine_id), 65_536)
    found, found_in = stored.find_label(parse_label_id(label.label_id), "acme", label.machine_id)
    assert (found, found_in) == (label, "table")
    said = make_again(stored.gather(found, found_in), BUILD).reproduction
    assert said.outcome == "looked_up"
    assert said.looked_up is not None
    assert (said.looked_up.score, said.looked_up.disagrees) == (label.score, [])
    assert "before offset 10000 are past the topic's retention" in " ".join(said.why)


def test_a_label_that_never_was_is_not_found(gathering: Gathering) -> None:
    with pytest.raises(LabelNotFound, match="neither on the labels topic nor in DynamoDB"):
        gathering.find_label(parse_label_id("load-0-50-9"), None, None)
    with pytest.raises(LabelNotFound, match=r"no label's id.*load-3-812-0"):
        parse_label_id("well-7")


def test_a_case_runs_from_its_directory_alone_and_only_as_it_was_saved(
    judged: Judged, gathering: Gathering, tmp_path: Path
) -> None:
    label = some_label(judged, lambda one: is_judged_late(one) and one.partner_offset is not None)
    evidence = gathering.gather(label, "topic")
    save_case(evidence, make_again(evidence, BUILD), tmp_path / "case")
    moved = shutil.move(tmp_path / "case", tmp_path / "elsewhere")
    case, loaded = load_case(moved)
    assert loaded == replace(evidence, adoptions=list(evidence.adoptions), missing=[], readings=loaded.readings)
    assert list(loaded.readings) == list(evidence.readings)
    assert make_again(loaded, BUILD).reproduction == case.reproduction
    assert case.reproduction.outcome == "identical"
    subprocess.run([sys.executable, "-I", moved / case.plot, moved, tmp_path / "again.png"], check=True, timeout=60)
    assert (tmp_path / "again.png").read_bytes().startswith(b"\x89PNG")
    with (moved / case.readings).open("a") as file:
        file.write("\n")
    with pytest.raises(BadCase, match=r"readings.jsonl is not as it was saved"):
        load_case(moved)
    with pytest.raises(BadCase, match="is that a case's directory"):
        load_case(tmp_path)


def run(judged: Judged, *arguments: Any) -> Result:
    """The command as somebody at a terminal has it."""
    settings = judged.settings
    options = ["--broker", settings.broker.url, "--prefix", settings.broker.topic_prefix]
    options += ["--registry", settings.registry.url]
    return CliRunner().invoke(app, [*options, "reproduce", *map(str, arguments)])


@pytest.fixture(scope="module")
def told(judged: Judged, tmp_path_factory: pytest.TempPathFactory) -> tuple[Label, Result, Path]:
    """An anomalous label, what the command said of it, and its case. Made before a browser is there, which has a loop."""
    case = tmp_path_factory.mktemp("told") / "case"
    label = some_label(judged, lambda one: one.label == "anomalous" and is_judged_late(one))
    return label, run(judged, label.label_id, "--output", case), case


def test_the_command_tells_draws_and_saves_and_its_page_opens(
    judged: Judged, told: tuple[Label, Result, Path], page: Page
) -> None:
    label, result, case = told
    assert result.exit_code == 0, result.output
    assert "identical: made again to the letter" in result.output
    assert label.because is not None
    assert label.because in result.output
    page.goto((case / "page.html").as_uri())
    assert page.locator("h1").inner_text() == f"Label {label.label_id} of {label.machine_id}"
    assert "identical" in page.locator(".outcome").inner_text()
    assert page.evaluate("document.querySelector('img').naturalWidth") > 1000
    assert json.loads(run(judged, case, "--json").output)["outcome"] == "identical"


def test_a_label_s_json_may_be_given_and_a_difference_has_a_status_of_its_own(
    judged: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    label = some_label(judged, is_judged_late)
    Path("label.json").write_text(label.model_copy(update={"median": 1.0}).model_dump_json())
    result = run(judged, "label.json")
    assert result.exit_code == 2
    assert f"median was 1.0, is now {label.median}" in result.output
    assert (tmp_path / f"case-{label.label_id}" / "case.json").is_file()
    found = json.loads(run(judged, "label.json", "--json").stdout)  # and nothing else: no line of a log
    assert [one["field"] for one in found["differences"]] == ["median"]


#: A program of another commit, which says who it is and compares nothing.
OTHER_PROGRAM = """
import json, pathlib, subprocess, sys
case = json.loads((pathlib.Path(sys.argv[2]) / "case.json").read_text())
commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
print(json.dumps({**case["reproduction"], "outcome": "identical", "git_commit": commit}))
"""


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str]:
    """A repository with another program in it, at a commit that is not checked out any more."""
    if shutil.which("git") is None:
        do_without("git is not installed here")
    place = tmp_path / "repository"
    program = place / "streams" / "cli" / "main.py"
    program.parent.mkdir(parents=True)
    program.write_text(OTHER_PROGRAM)
    for package in (program.parent, program.parent.parent):
        (package / "__init__.py").touch()

    def git(*arguments: str) -> str:
        who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
        command = ["git", "-C", str(place), *who, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "Say who it is")
    commit = git("rev-parse", "HEAD")
    git("rm", "--quiet", "-r", "streams")
    git("commit", "--quiet", "--message", "Take it away")
    return place, commit


def test_a_case_is_made_again_by_the_commit_that_made_its_label(
    judged: Judged, gathering: Gathering, tmp_path: Path, repository: tuple[Path, str]
) -> None:
    place, commit = repository
    label = some_label(judged, is_judged_late).model_copy(update={"git_commit": commit, "median": 1.0})
    evidence = gathering.gather(label, "file")
    save_case(evidence, make_again(evidence, BUILD), tmp_path / "case")
    result = run(judged, tmp_path / "case", "--with-its-code", "--repository", place, "--json")
    found = json.loads(result.output)
    assert (found["outcome"], found["git_commit"]) == ("identical", commit)
    assert (
        subprocess.run(["git", "-C", place, "worktree", "list"], capture_output=True, check=True).stdout.count(b"\n")
        == 1
    )
    unknown = gathering.gather(label.model_copy(update={"git_commit": "0" * 40}), "file")
    save_case(unknown, make_again(unknown, BUILD), tmp_path / "unknown")
    result = run(judged, tmp_path / "unknown", "--with-its-code", "--repository", place)
    assert "git checkout" in str(result.exception)


def test_the_place_among_labels_is_found_by_halves(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "MAX_RUN", 210)
    label = some_label(judged, lambda one: one.source_offset < 700 and one.revision == 0)
    with OnTopics(judged.settings) as few:
        key, asked = label.machine_id.encode(), label.source_offset - 100
        found = few.labels(label.source_partition, key, asked, asked + 60, lambda _: False)
        everything = few.labels(label.source_partition, key, 0, 10**9, lambda _: False)
    wanted = [one for one in everything if asked <= json.loads(one.value or b"")["source_offset"] < asked + 60]
    assert wanted == [one for one in found if one in wanted]
    assert len(found) < len(everything)


def test_the_command_works_on_kafka(kafka_url: str, make_settings: MakeSettings, tmp_path: Path) -> None:
    made = Judged(make_settings(kafka_url))
    fleet = Fleet(seed=3, machines=1)
    made.feed((one.key, one.value) for number in range(420) for one in fleet.burst(number) if one.good)
    made.judge()
    before = group_ids(made.settings)
    result = run(made, made.of("well-000")[-1].label_id, "--output", tmp_path / "case")
    assert result.exit_code == 0, result.output
    assert "the state after offset" in result.output
    assert group_ids(made.settings) == before, "it joins no group"
    made.close()


def group_ids(settings: Settings) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=settings.broker.url)
    try:
        return {group["group_id"] for group in admin.list_groups()}
    finally:
        admin.close()
