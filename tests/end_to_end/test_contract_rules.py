"""What docs/contract.md promises to whoever consumes, on one run of a worker that was killed in between."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from schemas.incidents import Incident
from schemas.labels import Label
from schemas.status import Status
from streams.partitions import partition_of
from streams.settings import Settings, load_settings
from tests.end_to_end.test_worker import START_S
from tests.models.engines import as_published, model
from tests.processes import running, wait_until
from tests.topics_at_hand import TopicsAtHand

WELLS: Final = ("well-1", "well-2", "well-3")
_CALM, _EVENT, _AFTER = 60, 60, 150  # minutes
_PARTITIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Lived:
    """What was sent and what came of it, with the Kafka records."""

    settings: Settings
    sent: int
    labels: list[Any]
    incidents: list[Any]
    status: list[Any]

    def first_labels(self) -> list[tuple[Any, Label]]:
        """Each reading's label as it first came, with its record."""
        found: dict[str, tuple[Any, Label]] = {}
        for record in self.labels:
            label = Label.model_validate_json(record.value)
            if label.revision == 0:
                found.setdefault(label.label_id, (record, label))
        return list(found.values())


def reading(well: str, minute: int) -> dict[str, Any]:
    event = _CALM <= minute < _CALM + _EVENT
    wobble = (minute * 37 + len(well)) % 101 / 25
    return {
        "client_id": "acme",
        "machine_id": well,
        "time": START_S + 60 * minute,
        "casing_pressure": (450.0 if event and well == "well-1" else 300.0) + wobble,
        "tubing_pressure": 200.0,
    }


@pytest.fixture(scope="module")
def lived(best_broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    settings = load_settings(
        broker={"url": best_broker_url, "topic_prefix": "test-rules", "partitions": _PARTITIONS,
                "session_timeout_s": 6.0, "heartbeat_interval_s": 1.0},
        worker={"app_id": "test-rules", "detectors": {"load": "isolation_forest"}, "changelog_interval_s": 60.0,
                "training_requests": False},
    )  # fmt: skip
    at, where = TopicsAtHand(settings), tmp_path_factory.mktemp("rules")
    for well in WELLS:
        update = as_published(model(well, spread=3.0))
        at.send(
            at.topics.models.name, [(f"acme/{well}/load".encode(), update.model_dump_json().encode())], machine=well
        )
    labels, incidents, status = (
        at.reader(topic.name) for topic in (at.topics.labels, at.topics.incidents, at.topics.status)
    )
    minutes = range(_CALM + _EVENT + _AFTER)
    late = range(_CALM + _EVENT + _AFTER - 10, _CALM + _EVENT + _AFTER - 5)
    sent = at.feed(reading(well, minute) for minute in minutes[: _CALM + _EVENT // 2] for well in WELLS)
    with running("worker", settings, where) as worker:
        wait_until(lambda: len(labels.more()) >= sent, what="labels", process=worker)
        wait_until(incidents.more, what="an incident", process=worker)
        worker.kill()  # before its state was written: all of it is judged again
    sent += at.feed(
        reading(well, minute)
        for minute in minutes[_CALM + _EVENT // 2 :]
        for well in WELLS
        if well != "well-3" or minute not in late
    )
    sent += at.feed(reading("well-2", minutes[-20]) for _ in range(2))  # that moment came already
    sent += at.feed({**reading("well-3", minute), "casing_pressure": 304.5} for minute in late)
    with running("worker", settings, where) as worker:
        wait_until(lambda: _readings_of(labels.more()) >= sent, what="all labels", process=worker)
        ids = {label.label_id for label in _newest(labels.more()).values()}
        wait_until(lambda: ids <= _in_status(status.more()), 20, what="the latest status", process=worker)
        assert worker.end() == 0, worker.tail()
    yield Lived(settings, sent, labels.more(), incidents.more(), status.more())
    at.close()


def _readings_of(records: list[Any]) -> int:
    return len({json.loads(record.value)["source_offset"] * _PARTITIONS + record.partition for record in records})


def _newest(records: list[Any]) -> dict[str, Label]:
    """By machine the first label of the reading with the highest event time."""
    found = [Label.model_validate_json(record.value) for record in records]
    first = [label for label in found if label.revision == 0]
    return {label.machine_id: label for label in sorted(first, key=lambda label: label.event_time)}


def _in_status(records: list[Any]) -> set[str]:
    return {one.label_id for record in records for one in Status.model_validate_json(record.value).stacks.values()}


def test_what_is_sent_twice_is_the_same_to_the_letter(lived: Lived) -> None:
    copies: dict[str, set[bytes]] = defaultdict(set)
    for record in lived.labels:
        copies[json.loads(record.value)["label_id"]].add(record.value)
    assert len(lived.labels) > len(copies), "the kill made it send some again"
    assert all(len(one) == 1 for one in copies.values())
    said: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    for record in lived.incidents:
        incident = json.loads(record.value)
        said[incident["incident_id"], incident["state"]].add(record.value)
    assert len(lived.incidents) > len(said)
    assert all(len(one) == 1 for one in said.values())


def test_each_reading_has_one_label_and_one_alone(lived: Lived) -> None:
    places = [(label.source_partition, label.source_offset) for _, label in lived.first_labels()]
    assert len(places) == len(set(places)) == lived.sent


def test_a_reading_sent_again_is_labelled_a_duplicate_and_moves_nothing(lived: Lived) -> None:
    again = [label for _, label in lived.first_labels() if label.reason == "duplicate"]
    assert [(label.machine_id, label.label, label.median) for label in again] == [("well-2", "unscored", None)] * 2


def test_all_of_a_machine_lies_in_one_partition_that_its_name_tells(lived: Lived) -> None:
    for records in (lived.labels, lived.incidents, lived.status):
        for record in records:
            machine = json.loads(record.value)["machine_id"]
            assert record.partition == partition_of(machine, _PARTITIONS)
    assert {record.key for record in [*lived.labels, *lived.incidents]} == {well.encode() for well in WELLS}
    assert {record.key for record in lived.status} == {f"acme/{well}".encode() for well in WELLS}


def test_first_labels_of_a_machine_come_in_the_order_of_its_readings(lived: Lived) -> None:
    for well in WELLS:
        offsets = [label.source_offset for _, label in lived.first_labels() if label.machine_id == well]
        assert offsets == sorted(offsets)


def test_an_incident_opens_before_it_closes_and_keeps_its_id(lived: Lived) -> None:
    said = list(dict.fromkeys(Incident.model_validate_json(record.value) for record in lived.incidents))
    assert [(one.machine_id, one.state) for one in said] == [("well-1", "opened"), ("well-1", "closed")]
    opened, closed = said
    assert opened.incident_id == closed.incident_id == f"inc-{opened.label_id}"
    labels = {label.label_id: label for _, label in lived.first_labels()}
    assert (labels[opened.label_id].alert, labels[closed.label_id].alert) == ("opened", "closed")


def test_a_correction_names_what_it_replaces_and_of_a_reading_the_highest_revision_holds(lived: Lived) -> None:
    by_place: dict[tuple[int, int], dict[int, Label]] = defaultdict(dict)
    for record in lived.labels:
        label = Label.model_validate_json(record.value)
        by_place[label.source_partition, label.source_offset][label.revision] = label
    corrected = [found for found in by_place.values() if len(found) > 1]
    assert corrected
    for found in corrected:
        assert sorted(found) == list(range(len(found)))
        for revision in range(1, len(found)):
            old, new = found[revision - 1], found[revision]
            assert new.supersedes == old.label_id
            assert (new.value, new.alert, new.incident_id) == (old.value, old.alert, old.incident_id)
            assert (new.median, new.score, new.surprise) != (old.median, old.score, old.surprise)


def test_event_time_is_the_reading_s_and_kafka_s_timestamp_tells_when_it_was_made(lived: Lived) -> None:
    for record, label in lived.first_labels():
        assert (label.event_time.timestamp() - START_S) % 60 == 0
        assert record.timestamp / 1000 > label.event_time.timestamp() + 86_400 * 365


def test_the_last_status_of_a_machine_is_that_of_its_newest_reading_whatever_came_late(lived: Lived) -> None:
    newest = _newest(lived.labels)
    latest = {record.key: Status.model_validate_json(record.value) for record in lived.status}
    for status in latest.values():
        label, shown = newest[status.machine_id], status.stacks["load"]
        assert (shown.label_id, shown.surprise, shown.event_time) == (label.label_id, label.surprise, label.event_time)
