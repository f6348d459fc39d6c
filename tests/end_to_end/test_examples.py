"""The programs of examples/ run as they are, against a broker that holds what the engine made, and print what it holds."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from schemas.incidents import Incident
from schemas.labels import Label
from schemas.training import TrainingRequest
from streams.access.broker import for_kafka_python
from streams.build_info import BuildInfo
from streams.settings import load_settings
from streams.trainer.making import handle_request
from tests.node_at_hand import ROOT, node_packages, program
from tests.processes import wait_until
from tests.streams.trainer_parts import NOW, QUICK
from tests.topics_at_hand import TopicsAtHand
from tools.sample_release import COMMIT, Record, new_partition, readings

EXAMPLES: Final = ROOT / "examples"
_PREFIX: Final = "test-examples"
_PARTITIONS: Final = 2

Records = list[tuple[bytes | None, bytes | None]]
#: ``started(command)``: what the program has printed so far, whenever asked.
Started = Callable[[Sequence[str | Path]], Callable[[], str]]


@pytest.fixture(scope="module")
def made() -> tuple[Records, Records]:
    """Labels and incidents of three wells, from a calm stretch over an event to the next calm."""
    partition = new_partition("0.1.0")
    labels: Records = []
    incidents: Records = []
    for first, count, event in ((0, 230, False), (230, 60, True), (290, 120, False)):
        start = partition.next_offset
        partition.judge([Record(start + n, body) for n, body in enumerate(readings(first, count, event=event))])
        output = partition.take_output()
        labels += output.labels
        incidents += output.incidents
        for _, value in output.training if first == 0 else ():
            asked = TrainingRequest.model_validate_json(value or b"")
            build = BuildInfo(version="0.1.0", git_commit=COMMIT, tree_clean=True)
            partition.engine.adopt(handle_request(asked, NOW, QUICK, build).update, partition.next_offset)
    assert len(incidents) == 6
    return labels, incidents


@pytest.fixture(scope="module")
def at(best_broker_url: str, made: tuple[Records, Records]) -> Iterator[TopicsAtHand]:
    """A broker that holds the incidents, each sent twice, as after a crash. Labels come when a test sends them."""
    settings = load_settings(broker={"url": best_broker_url, "topic_prefix": _PREFIX, "partitions": _PARTITIONS})
    at_hand = TopicsAtHand(settings)
    at_hand.send(at_hand.topics.incidents.name, [*made[1], *made[1]])
    yield at_hand
    at_hand.close()


@pytest.fixture
def started(at: TopicsAtHand, tmp_path: Path) -> Iterator[Started]:
    with contextlib.ExitStack() as running:

        def start(command: Sequence[str | Path]) -> Callable[[], str]:
            broker = {"BROKER": at.settings.broker.url, "PREFIX": _PREFIX, "PARTITIONS": str(_PARTITIONS)}
            printed = tmp_path / "printed"
            output = running.enter_context(printed.open("wb"))
            process = subprocess.Popen(
                list(map(str, command)),
                cwd=tmp_path,
                env={**os.environ, **broker},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            running.callback(process.wait, 20)
            running.callback(process.terminate)
            return printed.read_text

        yield start


def expected(incidents: Records) -> list[Incident]:
    """In what order they come: by machine, each opened before it is closed."""
    return [Incident.model_validate_json(value or b"") for _, value in incidents]


def when_it_says(said: Callable[[], str], pattern: str, times: int = 1) -> list[str]:
    """The lines that match, once there are so many."""

    def lines() -> list[str]:
        return [line for line in said().splitlines() if re.search(pattern, line)]

    try:
        wait_until(lambda: len(lines()) >= times, 60, pattern)
    except AssertionError as error:
        raise AssertionError(f"{error}; it said:\n{said()[-3000:]}") from None
    return lines()


@pytest.mark.parametrize("example", ["incidents.py", "incidents.ts"])
def test_a_consumer_of_incidents_prints_each_once_though_it_came_twice(
    started: Started, made: tuple[Records, Records], example: str, tmp_path: Path
) -> None:
    command: list[str | Path] = [sys.executable, EXAMPLES / example]
    if example.endswith(".ts"):
        command = ["node", compiled(tmp_path)]
    found = when_it_says(started(command), r"^well-\d (opened|closed) inc-load-", 6)
    told = sorted(tuple(line.split()[:3]) for line in found)
    assert told == sorted((one.machine_id, one.state, one.incident_id) for one in expected(made[1]))
    for machine in ("well-1", "well-2", "well-3"):
        assert [line.split()[1] for line in found if line.startswith(machine)] == ["opened", "closed"], "in order"


def compiled(target: Path) -> Path:
    """The example in TypeScript as JavaScript, beside its packages."""
    packages = node_packages(EXAMPLES / "typescript")
    done = subprocess.run(
        [packages / ".bin" / "tsc", "-p", EXAMPLES / "typescript", "--outDir", target / "build"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    (target / "package.json").write_text('{"type": "module"}')
    (target / "node_modules").symlink_to(packages)
    return target / "build" / "incidents.js"


@pytest.mark.usefixtures("kafka_url")  # kcat's library does not speak with the embedded broker
def test_kcat_shows_each_incident_with_its_key(started: Started, made: tuple[Records, Records]) -> None:
    program("kcat", "kcat")
    found = when_it_says(started(["sh", EXAMPLES / "incidents.sh"]), r"^\d+ well-\d \{.*\}$", 12)
    shown = {(one.machine_id, one) for line in found for _, key, value in [line.split(" ", 2)]
             for one in [Incident.model_validate_json(value)] if key == one.machine_id}  # fmt: skip
    assert shown == {(one.machine_id, one) for one in expected(made[1])}


def test_kafka_python_knows_which_incidents_are_open(started: Started) -> None:
    found = when_it_says(started([sys.executable, EXAMPLES / "open_incidents.py"]), r"^\d open:", 12)
    assert found[-1] == "0 open:"
    assert max(int(line[0]) for line in found) >= 2


def test_a_faust_agent_joins_labels_with_its_own_data(
    started: Started, at: TopicsAtHand, made: tuple[Records, Records]
) -> None:
    crews = f"{_PREFIX}-crews"
    admin = KafkaAdminClient(**for_kafka_python(at.settings.broker))
    admin.create_topics([NewTopic(crews, _PARTITIONS, 1)])
    admin.close()
    at.send(crews, [(b"well-1", b"Ann"), (b"well-2", b"Bo")])
    said = started([sys.executable, EXAMPLES / "faust_join.py", "worker", "--without-web", "-l", "warn"])
    when_it_says(said, "(Ann|Bo) looks after well", 2)
    anomalous = [one for _, value in made[0] if (one := Label.model_validate_json(value or b"")).label == "anomalous"]
    at.send(at.topics.labels.name, made[0])
    found = when_it_says(said, ": look at well-", len(anomalous))
    assert any("Ann: look at well-1" in line for line in found)
    assert any("nobody: look at well-3" in line for line in found)
    assert {match.group(1) for line in found if (match := re.search(r"\((load-\S+)\)", line))} == {
        one.label_id for one in anomalous
    }
