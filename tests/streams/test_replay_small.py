"""A replay on the embedded broker, and what it says of machines that begin amid their history."""

import io
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from rich.console import Console
from structlog.testing import CapturingLogger

from models.engine.engine import Engine
from models.engine.labels import Stamp
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from schemas.errors import BadSettings
from streams.build_info import build_info
from streams.partitions import partition_of
from streams.reading_ranges import Bounds, RangeReader
from streams.replay import telling
from streams.replay.bookmark import Work
from streams.replay.comparing import Comparing
from streams.replay.plan import Asked, PartitionPlan, Plan
from streams.replay.running import Progress
from streams.replay.telling import sentences, tell_comparison, watched
from streams.replay.whole import clean_up, replay
from streams.settings import Settings
from streams.worker.alone import Alone
from streams.worker.limits import Limits
from tests.conftest import MakeSettings
from tests.models.engines import as_published, model
from tests.topics_at_hand import TopicsAtHand

PARTITIONS = 2
WELLS = [f"well-{number}" for number in range(4)]


class Record(NamedTuple):
    offset: int
    key: bytes
    value: bytes
    timestamp: int = 0


async def _given_by_an_engine(settings: Settings, at_hand: TopicsAtHand) -> int:
    """Labels as a worker gives them for all that the readings topic holds, a model coming half way; how many."""
    build = build_info()
    stamp, given = Stamp(settings.topics.readings.name, build.version, build.git_commit), 0
    own = as_published(model(WELLS[0]))
    at_hand.send(settings.topics.models.name, [(own.key, own.model_dump_json().encode())], machine=WELLS[0])
    async with RangeReader(settings.broker) as reader:
        records: dict[int, list[Any]] = {}
        async for run in reader.read(await reader.find(settings.topics.readings.name, Bounds())):
            records.setdefault(run.tp.partition, []).extend(run.records)
    for number, some in records.items():
        alone = Alone(Engine(Machines(choose_stacks(["load"]), EngineSettings()), number), stamp, Limits(65_536, 100))
        half = len(some) // 2
        alone.judge(some[:half])
        if number == partition_of(WELLS[0], PARTITIONS):
            alone.engine.adopt(own, some[half].offset)
        alone.judge(some[half:])
        labels = alone.take_output().labels
        given += at_hand.send(settings.topics.labels.name, labels)
    return given


async def test_on_the_embedded_broker_labels_are_those_of_then_to_the_letter(
    embedded_broker_url: str, make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings(embedded_broker_url, broker={"partitions": PARTITIONS})
    at_hand = TopicsAtHand(settings)
    readings = (
        {"client_id": "acme", "machine_id": well, "time": 1_700_000_000 + 60 * minute, "casing_pressure": 300.0 + minute % 7,
         "tubing_pressure": 200.0}
        for minute in range(80)
        for well in WELLS
    )  # fmt: skip
    at_hand.send(
        settings.topics.readings.name, ((str(it["machine_id"]).encode(), msgspec.json.encode(it)) for it in readings)
    )
    given = await _given_by_an_engine(settings, at_hand)
    done = await replay(
        settings, Asked(client="acme"), Bounds(), tmp_path / "work", with_diff=True, on_progress=lambda _: None
    )
    clean_up(done)
    at_hand.close()
    assert done.comparison is not None
    assert (given, done.comparison.identical, done.comparison.is_same) == (320, 320, True)
    assert [len(one.steps) for one in done.plan.partitions.values() if one.steps] == [1]
    assert not (tmp_path / "work").exists()


def test_machines_whose_older_readings_are_gone_are_named_with_where_they_begin() -> None:
    cold = PartitionPlan(700, 900, 1_000, cold=["well-1", "well-2"])
    plan = Plan(Asked(), "readings", "0.1.0", "c0ffee", {3: cold}, {}, left_out={"well-9": "its model is gone"})
    said = "\n".join(sentences(plan, Progress(300, 300, 280, 0.5, 600.0, None)))
    assert "partition 3 from 700 on" in said
    assert "well-1, well-2" in said
    assert "begin cold at offset 700" in said
    assert "machine well-9 is left out: its model is gone" in said


def test_where_there_is_no_terminal_a_line_every_five_seconds_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logger = CapturingLogger()  # the module's own is set up by whichever test first made it speak
    monkeypatch.setattr(telling, "log", logger)
    now_s = 100.0
    with watched(lambda: now_s) as on_progress:
        for second in range(0, 13, 2):
            now_s = 100.0 + second
            on_progress(Progress(second * 10, 130, second * 9, float(second), 10.0, 1_700_000_000_000))
    assert {call.method_name for call in logger.calls} == {"info"}
    lines = [call.kwargs for call in logger.calls]
    assert [(line["action"], line["readings"], line["of"], line["labels"]) for line in lines] == [
        ("replay_progress", 60, 130, 54),
        ("replay_progress", 120, 130, 108),
    ]
    assert lines[0]["at"] == "2023-11-14T22:13:20.000Z"


def test_markup_in_a_machine_s_name_is_shown_as_it_is() -> None:
    comparing = Comparing()
    label = {"label_id": "load-0-7-0", "client_id": "acme", "machine_id": "[red]7[/]", "stack": "load", "label": "normal",
             "event_time": "2026-11-24T02:44:10.000Z", "surprise": 1.0}  # fmt: skip
    comparing.then(msgspec.json.encode(label))
    comparing.now(msgspec.json.encode({**label, "surprise": 2.0}))
    comparing.finish_partition()
    console = Console(width=120, record=True, file=io.StringIO())
    tell_comparison(comparing.result(), console)
    said = console.export_text()
    assert "acme/[red]7[/]" in said
    assert "[red]7[/]  load-0-7-0  surprise 1 → 2" in said


def test_an_unfinished_replay_is_one_process_s_and_leaves_nothing_where_nothing_began(tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    with work.held(), pytest.raises(BadSettings, match="another process is at the replay"), Work(work.directory).held():
        raise AssertionError("which must not be reached")
    assert not work.directory.exists()
