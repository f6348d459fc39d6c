"""`wellsentry labels` and `wellsentry audit`, as somebody at a terminal has them."""

import csv
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.structs import OffsetAndMetadata, TopicPartition
from typer.testing import CliRunner, Result

from schemas.labels import Label
from streams.cli.main import app
from streams.label_store import LabelStore
from streams.label_store.rows import LabelRow, letters, to_label
from streams.settings import Settings
from tests.conftest import MakeSettings
from tests.streams.making_labels import MINUTE_MS, START_MS, a_label, a_row

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command as if in a process whose environment holds ``settings``."""

    def invoke(settings: Settings, *arguments: str) -> Result:
        for section, values in settings.model_dump(include={"broker", "dynamodb", "sink", "worker"}).items():
            for name, value in values.items():
                if value is not None:
                    plain = value.get_secret_value() if hasattr(value, "get_secret_value") else value
                    text = plain if isinstance(plain, str) else json.dumps(plain)
                    monkeypatch.setenv(f"WELLSENTRY_{section}__{name}".upper(), text)
        return CliRunner().invoke(app, arguments)

    return invoke


# -- labels


@pytest.fixture
def filled(embedded_aws_url: str, make_settings: MakeSettings) -> Settings:
    """A table with three labels of acme's well-7, one of them of another stack."""
    settings = make_settings(None, embedded_aws_url)
    with LabelStore(settings.dynamodb) as store:
        store.ensure_table()
        store.write(some_labels())
    return settings


def some_labels() -> list[Label]:
    unscored = {"value": None, "median": None, "surprise": None, "expected_low": None, "expected_high": None}
    return [
        a_label(1, label="anomalous", surprise=4.25, alert="opened", incident_id="inc-1"),
        a_label(
            2, START_MS + 10_000, label="unscored", reason="warming_up", model_digest=None, model_rung=None, **unscored
        ),
        a_label(3, START_MS + MINUTE_MS, stack="flow", feature="flow_rate"),
    ]


AT_ALL_TIMES = ("--from", "2026-01-01", "--client", "acme")


def test_labels_are_shown_as_a_table(filled: Settings, run: Run) -> None:
    result = run(filled, "labels", "well-7", *AT_ALL_TIMES)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len([line for line in lines if "2026-11-24T02:4" in line]) == 3
    (first,) = (line for line in lines if "02:44:00.000Z" in line)
    for part in ("load", "152.40", "151.90", "140.2 .. 160.8", "4.25", "anomalous", "opened", "own 01234567"):
        assert part in first
    (second,) = (line for line in lines if "02:44:10.000Z" in line)
    assert "warming_up" in second


def test_of_a_revised_label_the_latest_is_shown_and_all_when_asked_for(filled: Settings, run: Run) -> None:
    with LabelStore(filled.dynamodb) as store:
        store.write(
            [
                a_label(1, median=151.0, revision=1, supersedes="load-3-1-0"),
                a_label(1, stack="flow", feature="flow_rate"),
            ]
        )
    labels = [json.loads(line) for line in run(filled, "labels", "well-7", *AT_ALL_TIMES, "--json").stdout.splitlines()]
    of_the_first = [(label["stack"], label["revision"]) for label in labels if label["source_offset"] == 1]
    assert sorted(of_the_first) == [("flow", 0), ("load", 1)]
    every = run(filled, "labels", "well-7", *AT_ALL_TIMES, "--json", "--revisions").stdout.splitlines()
    assert len(every) == len(labels) + 1


def test_labels_are_told_as_json_lines_as_on_the_topic(filled: Settings, run: Run) -> None:
    result = run(filled, "labels", "well-7", *AT_ALL_TIMES, "--json")
    assert [Label.model_validate_json(line) for line in result.stdout.splitlines()] == some_labels()


def test_labels_are_told_as_csv(filled: Settings, run: Run) -> None:
    result = run(filled, "labels", "well-7", *AT_ALL_TIMES, "--csv")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [row["label_id"] for row in rows] == [label.label_id for label in some_labels()]
    assert list(rows[0]) == list(Label.model_fields)
    assert json.loads(rows[0]["signals"]) == {"casing_pressure": 412.5, "tubing_pressure": 260.1}
    assert rows[1]["value"] == ""


def test_a_range_and_a_stack_can_be_chosen(filled: Settings, run: Run) -> None:
    def ids(*arguments: str) -> list[str]:
        lines = run(filled, "labels", "well-7", "--client", "acme", "--json", *arguments).stdout.splitlines()
        return [json.loads(line)["label_id"] for line in lines]

    assert ids("--from", "2026-11-24T02:44:05") == ["load-3-2-0", "flow-3-3-0"]
    assert ids("--from", "2026-11-24T02:44", "--to", "2026-11-24T02:44:10") == ["load-3-1-0"]
    assert ids("--from", "2026-11-24", "--stack", "flow") == ["flow-3-3-0"]


def test_an_empty_answer_says_what_to_do(filled: Settings, run: Run) -> None:
    result = run(filled, "labels", "well-7", "--client", "acme", "--from", "2027-01-01", "--json")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "its newest is of 2026-11-24T02:45:00.000Z" in result.stderr
    result = run(filled, "labels", "well-8", *AT_ALL_TIMES)
    assert result.stdout == ""
    assert "no labels of machine 'well-8' of client 'acme'" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--from", "yesterday"), ("--json", "--csv"), ("--from", "2026-11-25", "--to", "2026-11-24")],
)
def test_what_makes_no_sense_is_said(filled: Settings, run: Run, arguments: Sequence[str]) -> None:
    assert run(filled, "labels", "well-7", *arguments).exit_code == 2


# -- audit


@pytest.fixture
def audited(any_broker_url: str, embedded_aws_url: str, make_settings: MakeSettings) -> Settings:
    """Ten readings of well-7, judged by a worker; their labels, on the topic and in the table."""
    settings = make_settings(any_broker_url, embedded_aws_url)
    topics = settings.topics
    admin = KafkaAdminClient(bootstrap_servers=any_broker_url)
    admin.create_topics(
        [NewTopic(t.name, settings.broker.partitions, 1) for t in (topics.readings, topics.rejected, topics.labels)]
    )
    admin.close()
    rows = [row_of(settings, offset) for offset in range(10)]
    send(settings, topics.readings.name, [reading(offset) for offset in range(10)])
    send(settings, topics.labels.name, [letters(row) for row in rows])
    commit(settings, 10)
    with LabelStore(settings.dynamodb) as store:
        store.ensure_table()
        store.write([to_label(row) for row in rows])
    return settings


def reading(offset: int) -> bytes:
    body: dict[str, Any] = {"client_id": "acme", "machine_id": "well-7", "time": START_MS + 1000 * offset}
    return json.dumps(body | {"casing_pressure": 1.0, "tubing_pressure": 1.0}).encode()


def row_of(settings: Settings, offset: int) -> LabelRow:
    return a_row(offset, START_MS + 1000 * offset, source_topic=settings.topics.readings.name, source_partition=1)


def send(settings: Settings, topic: str, values: Sequence[bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.broker.url)
    for value in values:
        producer.send(topic, key=b"well-7", value=value, partition=1)
    producer.flush()
    producer.close()


def commit(settings: Settings, offset: int) -> None:
    """As the worker does."""
    from kafka import KafkaConsumer

    consumer = KafkaConsumer(bootstrap_servers=settings.broker.url, group_id=settings.worker.app_id)
    partition = TopicPartition(settings.topics.readings.name, 1)
    consumer.assign([partition])
    consumer.commit({partition: OffsetAndMetadata(offset, "", -1)})
    consumer.close()


def test_an_audit_of_what_is_in_order_ends_well(audited: Settings, run: Run) -> None:
    result = run(audited, "audit")
    assert result.exit_code == 0, result.output
    assert "in order" in result.stdout
    told = json.loads(run(audited, "audit", "--json", "--machine", "well-7", "--client", "acme").stdout)
    assert told["in_order"]
    assert told["balances"] == [
        {"stack": "load", "readings": 10, "labels": 10, "held": 0, "rejected": 0, "difference": 0}
    ]
    assert (told["labels"], told["stored"]) == (10, 10)


def test_an_audit_names_what_is_off_and_fails(audited: Settings, run: Run) -> None:
    topics = audited.topics
    send(audited, topics.readings.name, [reading(10)])
    commit(audited, 11)
    send(audited, topics.labels.name, [letters(row_of(audited, 4)), letters(row_of(audited, 99))])
    result = run(audited, "audit")
    assert result.exit_code == 1
    assert "NOT in order" in result.stdout
    assert f"1 readings without a load label: {topics.readings.name}/1/10" in result.stdout
    assert f"1 load labels whose reading does not exist: {topics.readings.name}/1/99" in result.stdout
    assert "(1 sent again to the letter)" in result.stdout


def test_an_audit_without_topics_says_so(embedded_broker_url: str, make_settings: MakeSettings, run: Run) -> None:
    result = run(make_settings(embedded_broker_url), "audit")
    assert "wellsentry topics create" in str(result.exception)
