"""Labels made again from live topics: to the letter with the models of then, and nothing of production is touched."""

import json
import subprocess
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pyarrow.parquet as pq
import pytest
from kafka import KafkaProducer
from playwright.sync_api import Page
from pydantic import SecretStr
from typer.testing import CliRunner

from bench.month.production import fingerprint
from models.stacks import STACKS, Stack
from schemas.bisection import Bisection
from schemas.case import Reproduction
from schemas.comparison import Comparison
from schemas.errors import BadSettings
from streams import reading_ranges
from streams.access.broker import for_kafka_python
from streams.cli.main import app
from streams.label_store import LabelStore
from streams.label_store.rows import decode_label
from streams.partitions import partition_of
from streams.reading_ranges import Bounds, Range, RangeReader
from streams.registry import Registry
from streams.registry.files import Files
from streams.replay import judging
from streams.replay import running as running_replay
from streams.replay.bisecting import Watch, bisect_commits
from streams.replay.lines import id_of
from streams.replay.plan import Asked
from streams.replay.running import OnProgress, Progress
from streams.replay.telling import sentences
from streams.replay.whole import Done, replay
from streams.settings import DynamoSettings, RegistrySettings, Settings, load_settings
from tests.chaos.fleet import Fleet
from tests.models.engines import as_published, model
from tests.processes import running, variables, wait_until
from tests.topics_at_hand import TopicsAtHand

MACHINES = 6  # the second sends late, the third has events, the fourth comes by tag; another one comes later
BURSTS = 420
LEAKS, LEAKS_FROM = "well-005", 370


EVERYTHING = Bounds()
#: A model from somebody else than the trainer: the registry does not have it.
NARROW = as_published(model(LEAKS, centre=100.0, spread=4.0))
NAMES = [f"well-{number:03d}" for number in range(MACHINES)]


class Installation(NamedTuple):
    """Topics full of a fleet's readings and what a worker and a trainer made of them."""

    settings: Settings
    labels: list[bytes]  # each once, in the order of the topic


@pytest.fixture(scope="module")
def lived(kafka_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A fleet that sends late, by tag and nonsense, with refits meanwhile and a worker that is killed once."""
    where = tmp_path_factory.mktemp("lived")
    prefix = f"test-{uuid.uuid4().hex[:12]}"
    settings = load_settings(
        broker={"url": kafka_url, "topic_prefix": prefix, "partitions": 2},
        worker={"app_id": f"{prefix}-worker", "changelog_interval_s": 0.3, "adoption_interval_s": 0.2},
        trainer={"app_id": f"{prefix}-trainer", "fleet_after_machines": 3},
        registry={"url": str(where / "registry")},
    )
    at_hand, fleet = TopicsAtHand(settings), Fleet(seed=3, machines=MACHINES)
    labels, models = at_hand.reader(settings.topics.labels.name), at_hand.reader(settings.topics.models.name)

    def labelled_to(burst: int) -> bool:
        messages = [one for number in range(burst) for one in fleet.burst(number) if one.good]
        held = sum(b'"tag"' in (one.value or b"") for one in messages) // 2  # the first of each pair
        first = {label_id for record in labels.more() if (label_id := id_of(record.value)).endswith("-0")}
        return len(first) >= len(messages) - held

    at_hand.send(settings.topics.models.name, [(NARROW.key, NARROW.model_dump_json().encode())], machine=LEAKS)
    with running("trainer", settings, where) as trainer:
        with running("worker", settings, where) as worker:
            _send(settings, fleet, range(250))
            wait_until(lambda: len({r.key for r in models.more()}) >= MACHINES, what="models", process=trainer)
            _send(settings, fleet, range(250, 330))
            wait_until(lambda: labelled_to(330), what="labels", process=worker)
            worker.kill()
        with running("worker", settings, where) as worker:
            _send(settings, fleet, range(330, BURSTS))
            wait_until(lambda: labelled_to(BURSTS), what="the last labels", process=worker)
            assert worker.end() == 0, worker.tail()
        refitted = b"acme/well-000/load"
        wait_until(lambda: [r.key for r in models.more()].count(refitted) > 1, what="a refit", process=trainer)
    yield Installation(settings, list(dict.fromkeys(record.value for record in labels.more())))
    at_hand.close()


def _send(settings: Settings, fleet: Fleet, bursts: Iterable[int]) -> None:
    """Send bursts, each message to the partition of its machine whatever its key says."""
    producer = KafkaProducer(**for_kafka_python(settings.broker), acks="all", linger_ms=5)
    for number in bursts:
        for one in fleet.burst(number):
            partition, value = partition_of(one.home, settings.broker.partitions), one.value
            if one.home == LEAKS and number >= LEAKS_FROM and value is not None:
                value = value.replace(b'"casing_pressure": 3', b'"casing_pressure": 5')
            producer.send(settings.topics.readings.name, key=one.key, value=value, partition=partition)
    producer.flush()
    producer.close()


async def _replay(
    lived: Installation, where: Path, *, bounds: Bounds = EVERYTHING, with_diff: bool = True,
    on_progress: OnProgress = lambda _: None, **asked: Any,
) -> Done:  # fmt: skip
    return await replay(
        lived.settings, Asked(**asked), bounds, where / "work", with_diff=with_diff, on_progress=on_progress
    )


def _made(where: Path) -> list[bytes]:
    return (where / "labels.jsonl").read_bytes().splitlines()


async def test_with_the_models_of_then_labels_are_those_of_then_to_the_letter(
    lived: Installation, tmp_path: Path
) -> None:
    before = await fingerprint(lived.settings)
    done = await _replay(lived, tmp_path, output=str(tmp_path / "labels.jsonl"))
    assert await fingerprint(lived.settings) == before, "topics, groups and registry are as they were"
    assert sorted(_made(tmp_path)) == sorted(lived.labels)
    said = [json.loads(label) for label in lived.labels]
    assert {label["model_rung"] for label in said} == {None, "own", "fleet"}
    assert NARROW.digest in {label["model_digest"] for label in said}, "which is on the topic alone"
    assert any(label["revision"] for label in said), "late readings changed labels"
    assert any(label["partner_offset"] for label in said), "some come by tag"
    assert done.comparison is not None
    assert (done.comparison.identical, done.comparison.is_same) == (len(lived.labels), True)


async def test_a_stretch_amid_the_topic_begins_with_snapshots_and_gives_the_labels_of_then(
    lived: Installation, tmp_path: Path
) -> None:
    home = partition_of("well-001", lived.settings.broker.partitions)  # it sends late
    early = tuple(name for name in NAMES if partition_of(name, lived.settings.broker.partitions) == home)
    first = _middle(lived, "well-001")
    done = await _replay(
        lived, tmp_path, bounds=Bounds(from_offset=first), machines=early, output=str(tmp_path / "labels.jsonl")
    )
    plans = done.plan.partitions.values()
    assert all(0 < one.start_offset < one.first_offset for one in plans), "neither cold nor from the topic's beginning"
    assert done.comparison is not None
    assert done.comparison.is_same
    made = set(_made(tmp_path))
    assert made < set(lived.labels)
    wanted = {
        label
        for label in lived.labels
        if (it := json.loads(label))["machine_id"] in early and it["source_offset"] >= first and not it["revision"]
    }
    assert wanted <= made
    assert any(json.loads(label)["revision"] for label in made)


class _Killed(Exception):
    """What a test does to a replay in the middle."""


async def test_a_killed_replay_goes_on_and_writes_the_same_to_the_letter(
    lived: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "PIECE", 300)  # many pieces, though there are few readings
    monkeypatch.setattr(running_replay, "LEAST_S", 0.0)
    monkeypatch.setattr(running_replay, "SHARE", 1.0)
    monkeypatch.setattr(reading_ranges, "MAX_RUN", 500)
    side = f"replay-{lived.settings.broker.topic_prefix}"
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    await _replay(lived, tmp_path / "whole", with_diff=False, output=str(tmp_path / "whole" / "labels.jsonl"))
    asked: dict[str, Any] = {"output": str(tmp_path / "killed" / "labels.jsonl"), "side_topic": side}
    come: list[int] = []

    def kill(progress: Progress) -> None:
        come.append(progress.readings)
        if len(come) in (3, 9):
            raise _Killed

    for _ in range(2):
        with pytest.raises(_Killed):
            await _replay(lived, tmp_path / "killed", with_diff=False, on_progress=kill, **asked)
    with pytest.raises(BadSettings, match=r"another replay.*client was None, is 'other'"):
        await _replay(lived, tmp_path / "killed", client="other", **asked)
    done = await _replay(lived, tmp_path / "killed", with_diff=True, on_progress=kill, **asked)
    assert come[0] < come[3], "it went on, and did not begin anew"
    assert done.comparison is not None
    assert done.comparison.is_same
    whole = (tmp_path / "whole" / "labels.jsonl").read_bytes()
    assert (tmp_path / "killed" / "labels.jsonl").read_bytes() == whole
    async with RangeReader(lived.settings.broker) as reader:
        sent = [record.value async for r in reader.read(await reader.find(side, Bounds())) for record in r.records]
    assert sorted(sent) == sorted(whole.splitlines()), "on a side topic each is there once"
    with pytest.raises(BadSettings, match=r"holds .* records already"):
        await _replay(lived, tmp_path, with_diff=False, side_topic=side)


async def test_a_topic_of_production_is_refused(lived: Installation, tmp_path: Path) -> None:
    for topic in (lived.settings.topics.labels.name, f"{lived.settings.broker.topic_prefix}.anything"):
        with pytest.raises(BadSettings, match="to which a replay never writes"):
            await _replay(lived, tmp_path, side_topic=topic)


async def test_under_another_model_labels_name_it_from_the_beginning_of_the_stretch(
    lived: Installation, tmp_path: Path
) -> None:
    registry = Registry(lived.settings.registry)
    fleet = registry.manifest(registry.entries("acme", "*", "load")[-1]).digest
    first = _middle(lived, LEAKS)
    asked: dict[str, Any] = {"machines": (LEAKS,), "output": str(tmp_path / "labels.jsonl")}
    done = await _replay(lived, tmp_path, bounds=Bounds(from_offset=first), model=fleet, **asked)
    made = [json.loads(label) for label in _made(tmp_path)]
    assert {label["model_digest"] for label in made if label["label"] != "unscored"} == {fleet}
    assert done.comparison is not None
    found = done.comparison
    assert found.labels_then == found.labels_now == found.only_ignored + found.changed
    assert found.fields["model_digest"] == found.labels_then
    with pytest.raises(BadSettings, match=r"model 0123456789abcdef .* for none of the machines"):
        await _replay(lived, tmp_path / "other", model="0123456789abcdef")


async def test_another_detector_begins_with_the_first_readings_and_a_new_stack_is_fitted_on_the_way(
    lived: Installation, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {
        "machines": (LEAKS,), "stacks": ("load", "casing"), "changed": ("load", "casing"),
        "detectors": {"load": "half_space_trees"}, "output": str(tmp_path / "labels.parquet"),
    }  # fmt: skip
    STACKS["casing"] = CasingStack()
    try:
        done = await _replay(lived, tmp_path, bounds=Bounds(from_offset=_middle(lived, LEAKS)), **asked)
    finally:
        del STACKS["casing"]
    made = pq.read_table(tmp_path / "labels.parquet").to_pylist()
    assert {(one["stack"], one["detector"]) for one in made} == {("load", "half_space_trees"), ("casing", "ensemble")}
    assert {one["model_rung"] for one in made if one["stack"] == "casing"} >= {"own"}, "a model was fitted on the way"
    assert {one.start_offset for one in done.plan.partitions.values()} == {0}
    assert done.comparison is not None
    assert done.comparison.new >= sum(one["stack"] == "casing" for one in made)


class CasingStack(Stack):
    """Casing pressure, psi."""

    name = "casing"
    signals = ("casing_pressure",)

    def feature(self, s: Any) -> Any:
        return s.casing_pressure


def test_the_command_tells_what_differs_and_its_page_shows_it(
    lived: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for name, value in variables(lived.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    registry = Registry(lived.settings.registry)
    fleet = registry.manifest(registry.entries("acme", "*", "load")[-1]).digest
    same = CliRunner().invoke(app, ["replay", LEAKS, "--client", "acme", "--diff"])
    assert (same.exit_code, "no label says anything else" in same.output) == (0, True), same.output
    (tmp_path / "list.txt").write_text(f"{LEAKS}\nwell-000\n")
    options = ["--machines", "list.txt", "--model", fleet, "--page", "diff.html", "--json"]
    other = CliRunner().invoke(app, ["replay", *options])
    assert other.exit_code == 1, other.output
    found = Comparison.model_validate_json(other.stdout)
    assert found.changed > 0
    assert {path.name for path in tmp_path.iterdir()} == {"list.txt", "diff.html"}, "nothing is left lying about"
    page: Page = request.getfixturevalue("page")  # whose event loop would be in the way before
    page.goto((tmp_path / "diff.html").as_uri())
    assert f"under model {fleet}" in page.inner_text("h1")
    assert page.locator("figure img").count() == len({one.machine_id for one in found.largest})
    assert page.evaluate("[...document.images].every(one => one.naturalWidth > 500 && one.alt)")
    assert f"{found.changed:,}" in page.inner_text("table >> nth=0")
    assert found.largest[0].label_id in page.inner_text("main")


async def test_labels_past_their_topic_s_retention_are_taken_from_dynamodb(
    lived: Installation, embedded_aws_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dynamodb = DynamoSettings(
        endpoint=embedded_aws_url, table=lived.settings.broker.topic_prefix,
        access_key_id=SecretStr("local"), secret_access_key=SecretStr("local"), ttl_days=3650,
    )  # fmt: skip
    lived = lived._replace(settings=lived.settings.model_copy(update={"dynamodb": dynamodb}))
    find, topic = RangeReader.find, lived.settings.topics.labels.name

    async def find_what_is_left(self: RangeReader, name: str, bounds: Bounds) -> Any:
        found = await find(self, name, bounds)
        half = {tp: Range((one.first_offset + one.end_offset) // 2, one.end_offset) for tp, one in found.items()}
        return half if name == topic else found

    monkeypatch.setattr(RangeReader, "find", find_what_is_left)
    asked: dict[str, Any] = {"machines": ("well-000", "well-001"), "client": "acme"}
    there_is_none = await _replay(lived, tmp_path / "none", **asked)
    assert there_is_none.comparison is not None
    assert there_is_none.comparison.new > 0
    assert "is not there" in " ".join(sentences(there_is_none.plan, there_is_none.progress))
    with LabelStore(dynamodb) as store:
        store.ensure_table()
        store.write_rows([decode_label(line) for line in lived.labels])
    done = await _replay(lived, tmp_path / "stored", **asked)
    assert done.comparison is not None
    assert done.comparison.is_same, done.comparison
    assert done.comparison.identical == sum(json.loads(one)["machine_id"] in asked["machines"] for one in lived.labels)
    assert "past their topic's retention; they are taken from DynamoDB" in " ".join(sentences(done.plan, done.progress))


@pytest.fixture
def lived_in_s3(lived: Installation, s3_endpoint: str) -> Installation:
    """The same installation, its registry moved into a bucket."""
    bucket = f"models-{uuid.uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=s3_endpoint).create_bucket(Bucket=bucket)
    registry = RegistrySettings(url=f"s3://{bucket}/wells", s3_endpoint=s3_endpoint)
    there, here = Files(registry), Files(lived.settings.registry)
    for path in here.below(""):
        there.write(path, here.read(path))
    return lived._replace(settings=lived.settings.model_copy(update={"registry": registry}))


def test_from_a_registry_in_s3_labels_are_replayed_and_reproduced_as_they_were(
    lived_in_s3: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables(lived_in_s3.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    stretch = ["--from-offset", str(_middle(lived_in_s3, "well-000")), "--diff", "--json"]
    replayed = CliRunner().invoke(app, ["replay", "well-000", *stretch])
    assert replayed.exit_code == 0, replayed.output
    assert Comparison.model_validate_json(replayed.stdout).identical > 0
    assert "cold" not in replayed.stderr, "its state came out of the bucket"
    last = [one for one in map(json.loads, lived_in_s3.labels) if one["machine_id"] == "well-000"][-1]
    reproduced = CliRunner().invoke(app, ["reproduce", last["label_id"], "--json"])
    assert reproduced.exit_code == 0, reproduced.output
    found = Reproduction.model_validate_json(reproduced.stdout)
    assert (found.outcome, found.from_offset >= 0) == ("identical", True)
    (model,) = (tmp_path / f"case-{last['label_id']}" / "models").iterdir()
    assert last["model_digest"] in model.name


def test_bisecting_finds_the_first_model_with_other_labels(
    lived: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables(lived.settings).items():
        monkeypatch.setenv(name, value)
    registry = Registry(lived.settings.registry)
    digests = [registry.manifest(path).digest for path in registry.entries("acme", "well-000", "load")]
    assert len(digests) > 1, "it was refitted"
    stretch = ["replay", "well-000", "--client", "acme", "--from-offset", str(_middle(lived, "well-000"))]
    found = CliRunner().invoke(app, [*stretch, "--bisect", digests[0], digests[-1], "--json"])
    assert found.exit_code == 0, found.output
    first = Bisection.model_validate_json(found.stdout)
    assert (first.between, first.old, first.before) == (
        "models",
        digests[0],
        digests[digests.index(first.first or "") - 1],
    )
    assert first.comparison is not None
    assert first.comparison.changed > 0
    same = CliRunner().invoke(app, [*stretch, "--bisect", digests[0], digests[-1], "--field", "value"])
    assert "no model between them changed any" in same.output, "the value does not depend on the model"


PROGRAM = """
import pathlib, sys
options = dict(zip(sys.argv, sys.argv[1:]))
first, end = int(options["--from-offset"]), int(options["--to-offset"])
line = '{"label_id":"load-%s-%d-0","client_id":"acme","machine_id":"well-000",' % (options["--partition"], first)
line += '"stack":"load",'
line += '"event_time":"2026-11-24T02:44:10.000Z","surprise":SURPRISE,"label":"normal"}'
pathlib.Path(options["--output"]).write_text(line + chr(10))
"""


def test_bisecting_finds_the_first_commit_with_other_labels(lived: Installation, tmp_path: Path) -> None:
    repository, package = tmp_path / "repository", tmp_path / "repository" / "streams" / "cli"
    package.mkdir(parents=True)
    git = ["git", "-C", str(repository), "-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    for name in (package.parent, package):
        (name / "__init__.py").touch()
    for number, surprise in enumerate((1.0, 1.0, 1.0, 2.5, 2.5, 2.5)):
        (package / "main.py").write_text(f"# {number}" + PROGRAM.replace("SURPRISE", str(surprise)))
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-qm", f"number {number}"], check=True)
    asked = Asked(machines=("well-000",), client="acme")
    tell = [lived.settings, asked, EVERYTHING, ("HEAD~5", "HEAD"), Watch(), tmp_path / "work", lambda _: None]
    found = bisect_commits(*tell, repository)  # type: ignore[arg-type]
    assert found.candidates == 6
    assert (found.about or "").endswith("number 3")
    assert len(found.tried) <= 5
    assert found.comparison is not None
    assert found.comparison.largest[0].fields["surprise"].model_dump() == {"then": 1.0, "now": 2.5}
    listed = subprocess.run([*git, "worktree", "list"], capture_output=True, text=True, check=True).stdout
    assert len(listed.splitlines()) == 1, "its worktree is gone"


def _middle(lived: Installation, machine: str) -> int:
    """An offset amid the labels of a machine, three quarters along the way."""
    offsets = [int(it["source_offset"]) for label in lived.labels if (it := json.loads(label))["machine_id"] == machine]
    return max(offsets) * 3 // 4
