"""The worker as a process, on both brokers: what goes in comes out, once and to the letter, whatever happens to it."""

import json
import random
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from schemas.incidents import Incident
from schemas.labels import Label
from schemas.rejected import Rejected
from schemas.status import Status
from schemas.training import TrainingRequest
from streams.settings import Settings
from tests.conftest import MakeSettings
from tests.models.engines import as_published, model
from tests.processes import running, wait_until
from tests.topics_at_hand import AtHand

START_S = 1_700_000_000


def readings(machines: int, count: int, seed: int = 1, first: int = 0) -> Iterator[dict[str, Any]]:
    """``count`` readings of each machine, a minute apart; a load of 100 psi with a little noise."""
    rng = random.Random(seed)
    for i in range(first, first + count):
        for m in range(machines):
            yield {
                "client_id": "acme",
                "machine_id": f"well-{m:03d}",
                "time": START_S + 60 * i,
                "casing_pressure": round(300 + rng.gauss(0, 3), 1),
                "tubing_pressure": 200.0,
            }


def jumbled(some: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same readings, of every twelfth machine the newest first: all others of it come late."""
    come = list(some)
    machines = sorted({one["machine_id"] for one in come})[::12]
    for one in come:
        if one["machine_id"] not in machines:
            yield one
    yield from sorted((one for one in come if one["machine_id"] in machines), key=lambda one: -one["time"])


def first_labels(by_label_id: dict[str, list[bytes]]) -> int:
    """How many readings have a label."""
    return sum(label_id.endswith("-0") for label_id in by_label_id)


def by_id(records: list[Any]) -> dict[str, list[bytes]]:
    """Bytes of labels by their id, each as often as it was sent."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for record in records:
        found[record.value.split(b'"', 4)[3].decode()].append(record.value)  # the first field is the id
    return found


def test_readings_become_labels_status_incidents_rejections_and_training_requests(
    any_broker_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(any_broker_url, worker={"detectors": {"load": "isolation_forest"}})
    at_hand = at(settings)
    topics = settings.topics
    own = as_published(model("well-000", spread=5.0))
    at_hand.send(topics.models.name, [(b"acme/well-000/load", own.model_dump_json().encode())], machine="well-000")
    good = at_hand.feed(readings(5, 250))
    good += at_hand.feed(
        {**reading, "casing_pressure": 400.0}
        for reading in readings(1, 60, first=250)
        if reading["machine_id"] == "well-000"
    )
    at_hand.send(
        topics.readings.name,
        [(b"well-000", b"{"), (b"well-000", b'{"machine_id": "well-001", "time": 1, "flow_rate": 1}')],
    )
    other = b'{"machine_id": "well-001", "time": 1, "flow_rate": 1}'
    at_hand.send(topics.readings.name, [(b"well-000", b"{"), (b"well-000", other)])
    with running("worker", settings, tmp_path) as worker:
        labels, rejected = at_hand.reader(topics.labels.name), at_hand.reader(topics.rejected.name)
        wait_until(lambda: len(labels.more()) >= good, what="labels", process=worker)
        wait_until(lambda: len(rejected.more()) >= 2, what="rejections", process=worker)
        incidents, status = at_hand.reader(topics.incidents.name), at_hand.reader(topics.status.name)
        training = at_hand.reader(topics.training.name)
        wait_until(lambda: len(training.more()) >= 5, what="training requests", process=worker)
        wait_until(lambda: len(incidents.more()) >= 1, what="incidents", process=worker)
        wait_until(lambda: len({r.key for r in status.more()}) >= 5, what="status of all machines", process=worker)
        last = b'"label_id":"%s"' % _newest_label(labels.records).label_id.encode()
        wait_until(lambda: any(last in r.value for r in status.more()), what="the latest status", process=worker)

    assert len(labels.more()) == good
    made = [Label.model_validate_json(record.value) for record in labels.records]
    assert {(label.source_topic, label.source_partition, label.source_offset) for label in made} == {
        (topics.readings.name, record.partition, label.source_offset)
        for record, label in zip(labels.records, made, strict=True)
    }
    assert all(
        record.value == label.model_dump_json().encode() for record, label in zip(labels.records, made, strict=True)
    )
    with_model = [label for label in made if label.machine_id == "well-000"]
    assert {label.model_digest for label in with_model} == {own.digest}, "published before: in force from the start"
    assert {label.reason for label in made if label.machine_id != "well-000"} == {"warming_up"}

    refused = [Rejected.model_validate_json(record.value) for record in rejected.records]
    assert {one.reason for one in refused} == {"not_json", "key_mismatch"}
    assert {one.value for one in refused} == {b"{", other}

    (opened,) = [Incident.model_validate_json(record.value) for record in incidents.records]
    assert (opened.machine_id, opened.state, opened.direction) == ("well-000", "opened", "high")
    assert opened.label_id in {label.label_id for label in with_model if label.alert == "opened"}

    latest = {record.key: Status.model_validate_json(record.value) for record in status.more()}
    assert latest[b"acme/well-000"].stacks["load"].incident_id == opened.incident_id
    requests = [TrainingRequest.model_validate_json(record.value) for record in training.records]
    assert {request.machine_id for request in requests} == {f"well-{m:03d}" for m in range(5)}
    assert {request.reason for request in requests} == {"first"}


def _newest_label(records: Sequence[Any]) -> Label:
    """The newest label of the machine that has an incident. A status comes at most once a second, so not with every run."""
    of_machine = [Label.model_validate_json(record.value) for record in records if record.key == b"well-000"]
    return max(of_machine, key=lambda label: label.source_offset)


def _differences(here: dict[str, bytes], there: dict[str, bytes]) -> list[str]:
    """The first few labels that differ, and in which fields."""
    found = [f"{label_id}: only one of the two has it" for label_id in sorted(here.keys() ^ there.keys())[:3]]
    for label_id in [one for one in here if one in there and here[one] != there[one]][:3]:
        one, other = json.loads(here[label_id]), json.loads(there[label_id])
        fields = {name: (one[name], other[name]) for name in one if one[name] != other[name]}
        found.append(f"{label_id}: {fields}")
    return found


@pytest.mark.make_chaos  # a test run has the chaos suite's kills at named points
def test_killed_five_times_it_loses_nothing_and_repeats_labels_to_the_letter(
    kafka_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    quick = {"session_timeout_s": 6.0, "heartbeat_interval_s": 1.0}  # how soon the next worker may take over
    settings = make_settings(kafka_url, broker=quick, worker={"training_requests": False})
    undisturbed = make_settings(
        kafka_url,
        broker={"topic_prefix": f"{settings.broker.topic_prefix}-calm"},
        worker={"app_id": f"{settings.worker.app_id}-calm", "training_requests": False},
    )
    at_hand, calm = at(settings), at(undisturbed)
    machines, count = 200, 4
    for one in (at_hand, calm):
        for m in range(0, machines, 2):
            update = as_published(model(f"well-{m:03d}", spread=1.5, digest=m + 1))
            key = f"acme/{update.machine_id}/load".encode()
            one.send(one.topics.models.name, [(key, update.model_dump_json().encode())], machine=update.machine_id)
    killed = threading.Event()

    def feed_slowly() -> int:
        # Goes on until all kills are done, so that each of them meets a worker that is busy. How often it fed.
        fed = 0
        while not killed.wait(0.3):
            at_hand.feed(jumbled(readings(machines, count, seed=fed, first=fed * count)))
            fed += 1
        return fed

    labels = at_hand.reader(settings.topics.labels.name)
    rng = random.Random(7)
    with ThreadPoolExecutor(1) as feeding:
        fed = feeding.submit(feed_slowly)
        try:
            for kill in range(5):
                before = len(by_id(labels.more()))
                goal = before + rng.randrange(200, 4000)
                with running("worker", settings, tmp_path) as worker:
                    wait_until(
                        lambda goal=goal: len(by_id(labels.more())) >= goal,
                        what=f"labels before kill {kill}",
                        process=worker,
                    )
                    worker.kill()
        finally:
            killed.set()
        slices = fed.result()
    total = machines * slices * count
    with running("worker", settings, tmp_path) as worker:
        wait_until(lambda: first_labels(by_id(labels.more())) >= total, what="all labels", process=worker)
        wait_until(lambda: '"ready"' in worker.log.read_text(), what="readiness", process=worker)
        assert worker.end() == 0, worker.tail()
    for i in range(slices):
        calm.feed(jumbled(readings(machines, count, seed=i, first=i * count)))
    with running("worker", undisturbed, tmp_path) as worker:
        expected = calm.reader(undisturbed.topics.labels.name)
        wait_until(lambda: first_labels(by_id(expected.more())) >= total, what="labels of the calm run", process=worker)
        assert worker.end() == 0, worker.tail()

    sent = by_id(labels.more())
    assert first_labels(sent) == total, "nothing is lost"
    assert len(sent) > total, "late readings changed labels"
    assert all(len(set(copies)) == 1 for copies in sent.values()), "what is sent twice is the same to the letter"
    name = settings.broker.topic_prefix.encode()
    there = {label_id: copies[0] for label_id, copies in by_id(expected.more()).items()}
    here = {label_id: copies[0].replace(name, name + b"-calm") for label_id, copies in sent.items()}
    assert _differences(here, there) == [], "and the same that an undisturbed worker says"


def test_two_workers_share_the_machines_and_none_is_lost_when_one_goes(
    kafka_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(kafka_url, broker={"session_timeout_s": 6.0, "heartbeat_interval_s": 1.0})
    at_hand = at(settings)
    labels = at_hand.reader(settings.topics.labels.name)
    total = at_hand.feed(readings(50, 60))
    with running("worker", settings, tmp_path) as first:
        wait_until(lambda: len(labels.more()) >= total, what="labels of one", process=first)
        with running("worker", settings, tmp_path) as second:
            wait_until(
                lambda: "handed over" in second.tail(10_000) or '"ready"' in second.tail(10_000), what="second ready"
            )
            total += at_hand.feed(readings(50, 60, first=60))
            wait_until(lambda: len(by_id(labels.more())) >= total, what="labels of both", process=second)
            assert second.end() == 0, second.tail()
        total += at_hand.feed(readings(50, 60, first=120))
        wait_until(lambda: len(by_id(labels.more())) >= total, what="labels after one went", process=first)
    assert all(len(set(copies)) == 1 for copies in by_id(labels.records).values())


THIRD_STACK = """
from models.stacks import STACKS, Stack

class DrawdownStack(Stack):
    '''How far the tubing is above the line, psi.'''
    name = "drawdown"
    signals = ("tubing_pressure", "line_pressure")
    def feature(self, s):
        return s.tubing_pressure - s.line_pressure

STACKS["drawdown"] = DrawdownStack()

from streams.settings import load_settings
from streams.worker.app import run_worker
run_worker(load_settings())
"""


def test_a_third_stack_of_ten_lines_gets_labels_from_end_to_end(
    any_broker_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(any_broker_url, worker={"stacks": ("load", "drawdown")})
    at_hand = at(settings)
    labels = at_hand.reader(settings.topics.labels.name)
    update = as_published(model("well-000", centre=120.0, stack="drawdown", features=("drawdown",)))
    at_hand.send(
        settings.topics.models.name,
        [(b"acme/well-000/drawdown", update.model_dump_json().encode())],
        machine="well-000",
    )
    total = at_hand.feed({**reading, "line_pressure": 80.0} for reading in readings(1, 40))
    with running("worker", settings, tmp_path, script=THIRD_STACK) as worker:
        wait_until(lambda: len(labels.more()) >= 2 * total, what="labels of both stacks", process=worker)
    made = [Label.model_validate_json(record.value) for record in labels.records]
    drawdown = [label for label in made if label.stack == "drawdown"]
    assert len(drawdown) == total
    assert {label.value for label in drawdown} == {120.0}
    assert drawdown[-1].label == "normal"


@pytest.mark.parametrize("detector", ["half_space_trees", "standard_absolute_deviation"])
def test_an_online_detector_chosen_in_the_settings_scores_without_a_trainer(
    kafka_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path, detector: str
) -> None:
    settings: Settings = make_settings(kafka_url, worker={"detectors": {"load": detector}})
    at_hand = at(settings)
    labels, training = at_hand.reader(settings.topics.labels.name), at_hand.reader(settings.topics.training.name)
    total = at_hand.feed(readings(2, 320))
    with running("worker", settings, tmp_path) as worker:
        wait_until(lambda: len(labels.more()) >= total, what="labels", process=worker)
    last = Label.model_validate_json(labels.records[-1].value)
    assert (last.detector, last.model_rung) == (detector, "online")
    assert last.surprise is not None
    assert training.more() == []


@pytest.mark.parametrize("program", ["worker", "trainer", "sink"])
def test_without_its_topics_a_program_says_what_to_do(
    kafka_url: str, make_settings: MakeSettings, tmp_path: Path, program: str
) -> None:
    with running(program, make_settings(kafka_url), tmp_path) as process:
        wait_until(lambda: not process.running, what="its end")
    assert "wellsentry topics create" in process.tail()
