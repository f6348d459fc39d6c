"""What a person says of an incident, from the command to the model in force, on both brokers."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.comparison import Comparison
from schemas.feedback import Feedback
from schemas.incidents import Incident
from schemas.labels import Label
from schemas.manifest import Manifest
from streams.cli.main import app
from streams.registry import Registry
from streams.settings import Settings
from tests.conftest import MakeSettings
from tests.processes import Process, running, variables, wait_until
from tests.topics_at_hand import AtHand, TopicsAtHand

WELL = "well-7"
START_S = 1_767_225_600
RAISED = range(260, 300)  # minutes in which the load stands 40 psi higher
READINGS = 340

Say = Callable[..., Any]


def readings(first: int, stop: int) -> Iterator[dict[str, Any]]:
    for minute in range(first, stop):
        raised = 40.0 if minute in RAISED else 0.0
        yield {
            "client_id": "acme", "machine_id": WELL, "time": START_S + 60 * minute, "tubing_pressure": 200.0,
            "casing_pressure": round(300 + raised + random.Random(minute).gauss(0, 1.0), 2),
        }  # fmt: skip


class Lived:
    """A well that had an incident, and what follows from feedback about it."""

    def __init__(self, at_hand: TopicsAtHand, worker: Process, trainer: Process) -> None:
        self.at_hand, self._worker, self._trainer = at_hand, worker, trainer
        self._registry = Registry(at_hand.settings.registry)
        self._labels = at_hand.reader(at_hand.topics.labels.name)
        self._incidents = at_hand.reader(at_hand.topics.incidents.name)
        self._fed = 0

    def feed(self, stop: int) -> Label:
        """Feed up to that minute; the last label."""
        self.at_hand.feed(readings(self._fed, stop))
        self._fed = stop
        wait_until(lambda: len(self._labels.more()) >= stop, what="labels", process=self._worker)
        return self.labels()[-1]

    def labels(self) -> list[Label]:
        return [Label.model_validate_json(record.value) for record in self._labels.more()]

    def incident(self) -> Incident:
        """The one there was, closed."""
        wait_until(lambda: len(self._incidents.more()) >= 2, what="the incident's end", process=self._worker)
        return Incident.model_validate_json(self._incidents.records[-1].value)

    def manifests(self) -> list[Manifest]:
        return [self._registry.manifest(path) for path in self._registry.entries("acme", WELL, "load")]

    def next_manifest(self, before: int) -> Manifest:
        """The newest, once there are more than that."""
        wait_until(lambda: len(self.manifests()) > before, 30.0, "a model", self._trainer)
        return self.manifests()[-1]

    def label_by(self, digest: str) -> Label:
        """The first label by that model; readings are fed until it is in force."""

        def judged() -> Label | None:
            label = self.feed(self._fed + 1)
            return label if label.model_digest == digest else None

        found = wait_until(judged, 30.0, f"a label by {digest}", self._worker)
        assert isinstance(found, Label)
        return found


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs `wellsentry feedback …`; what it printed, from JSON."""

    def call(settings: Settings, *arguments: str, command: str = "feedback") -> Any:
        for name, value in variables(settings).items():
            monkeypatch.setenv(name, value)
        done = CliRunner().invoke(app, [command, *arguments, "--json"])
        assert done.exit_code == 0, done.output or done.exception
        return json.loads(done.stdout)

    return call


@pytest.mark.parametrize("broker", ["embedded", "kafka"])
def test_a_false_alarm_is_usual_in_the_next_model_and_undone_no_longer_and_no_label_depends_on_it(
    broker: str, request: pytest.FixtureRequest, make_settings: MakeSettings, at: AtHand, tmp_path: Path, say: Say
) -> None:
    url = request.getfixturevalue("kafka_url" if broker == "kafka" else "embedded_broker_url")
    settings = make_settings(
        url, worker={"detectors": {"load": "isolation_forest"}, "adoption_interval_s": 0.1}, trainer={"trees": 20}
    )
    at_hand = at(settings)
    # It is read and left out: it belongs to another partition, or is none at all.
    at_hand.send(settings.topics.feedback.name, [(WELL.encode(), b"{"), (b"well-8", _elsewhere())], machine=WELL)
    with running("trainer", settings, tmp_path) as trainer, running("worker", settings, tmp_path) as worker:
        lived = Lived(at_hand, worker, trainer)
        lived.feed(210)
        first = lived.next_manifest(0)
        lived.label_by(first.digest)
        lived.feed(READINGS)
        incident = lived.incident()
        wait_until(lambda: worker.has_said("feedback_refused"), what="what was left out", process=worker)

        said = say(settings, "false_alarm", incident.incident_id, "--by", "ann", "--text", "the choke was opened")
        second = lived.next_manifest(len(lived.manifests()))
        (heeded,) = second.feedback
        assert (heeded.feedback_id, heeded.kind, heeded.by) == (said["feedback_id"], "false_alarm", "ann")
        assert heeded.from_time <= incident.opened_at
        assert heeded.to_time == incident.closed_at
        assert (second.reason, second.exclusions) == ("feedback", [])
        label = lived.label_by(second.digest)
        assert label.expected_high is not None
        assert incident.actual is not None
        assert label.expected_high > incident.actual

        if broker == "embedded":  # the rest takes it long: a topic's end, and that a worker has gone, show late
            return
        (stands,) = say(settings, "list", incident.incident_id)
        assert stands == said
        before = len(lived.manifests())
        say(settings, "undo", said["feedback_id"][:8], "--by", "bob")
        third = lived.next_manifest(before)
        assert third.feedback == []
        assert _covers(third, incident)
        assert say(settings, "list", WELL) == []
        assert lived.label_by(third.digest).expected_high < incident.actual

        before = len(lived.manifests())
        confirmed = say(settings, "confirm", incident.incident_id, "--by", "ann")
        fourth = lived.next_manifest(before)
        assert [one.feedback_id for one in fourth.feedback] == [confirmed["feedback_id"]]
        assert _covers(fourth, incident)
        lived.label_by(fourth.digest)
        assert worker.end() == 0, worker.tail()
    judged_again = Comparison.model_validate(say(settings, WELL, "--diff", command="replay"))
    assert judged_again.identical == judged_again.labels_then == len(lived.labels())
    say(settings, "undo", confirmed["feedback_id"], "--by", "bob")  # while nobody listens
    with running("trainer", settings, tmp_path) as trainer, running("worker", settings, tmp_path) as worker:
        wait_until(lambda: len(lived.manifests()) > before + 1, 30.0, "a model", worker)
        assert lived.manifests()[-1].feedback == []
        assert worker.has_said("feedback_heard") == 1, "what was heard before asks for nothing again"


def _elsewhere() -> bytes:
    return Feedback(
        feedback_id="f1", client_id="acme", machine_id="well-8", stack=None, incident_id=None, kind="acknowledge", by="eve",
        at="2026-11-24T02:44:10Z",
    ).model_dump_json().encode()  # fmt: skip


def _covers(manifest: Manifest, incident: Incident) -> bool:
    """Whether the incident's readings were left out."""
    assert incident.closed_at is not None
    return any(
        (first <= incident.opened_at and incident.closed_at <= last) or first >= incident.opened_at
        for first, last in manifest.exclusions
    )
