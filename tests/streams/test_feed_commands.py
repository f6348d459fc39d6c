"""The commands ``feed`` and ``simulate`` as a person types them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from typer.testing import CliRunner

from streams.cli.main import app
from streams.settings import Settings

MakeSettings = Callable[..., Settings]
START = "2026-01-01T00:00:00Z"


@pytest.fixture
def run() -> Callable[..., str]:
    def run(*arguments: object, fails_with: str | None = None) -> str:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if fails_with is not None:
            assert result.exit_code != 0
            assert fails_with in " ".join((result.stderr + str(result.exception)).split())
        else:
            assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.fixture
def broker(embedded_broker_url: str, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A broker with the readings topic, in force for the commands."""
    settings = make_settings(embedded_broker_url)
    monkeypatch.setenv("WELLSENTRY_BROKER__URL", settings.broker.url)
    monkeypatch.setenv("WELLSENTRY_BROKER__TOPIC_PREFIX", settings.broker.topic_prefix)
    admin = KafkaAdminClient(bootstrap_servers=settings.broker.url)
    try:
        admin.create_topics([NewTopic(settings.topics.readings.name, settings.broker.partitions, 1)])
    finally:
        admin.close()
    return settings


def first_messages(settings: Settings, count: int) -> list[dict[str, object]]:
    consumer = KafkaConsumer(bootstrap_servers=settings.broker.url, consumer_timeout_ms=20_000)
    try:
        topic = settings.topics.readings.name
        consumer.assign([TopicPartition(topic, number) for number in range(settings.broker.partitions)])
        consumer.seek_to_beginning()
        return [json.loads(record.value) for _, record in zip(range(count), consumer, strict=False)]
    finally:
        consumer.close()


def test_simulated_wells_are_written_to_files_and_fed(
    broker: Settings, run: Callable[..., str], tmp_path: Path
) -> None:
    files, truth = tmp_path / "wells", tmp_path / "truth.jsonl"
    simulating = ("simulate", "--wells", 3, "--hours", 2, "--start", START, "--defects", 5, "--json")
    simulated = json.loads(run(*simulating, "--output", files, "--truth", truth))
    lines = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    assert simulated["truths"] == len(lines) > 0
    assert set(lines[0]) == {"machine_id", "category", "kind", "start", "end", "signal", "group"}
    assert simulated["first"].startswith("2026-01-01T00:")

    fed = json.loads(run("feed", files, "--client", "acme", "--flat-out", "--json"))
    assert fed["readings"] == simulated["readings"] == fed["messages"]
    messages = first_messages(broker, fed["readings"])
    assert len(messages) == fed["readings"]
    assert {message["client_id"] for message in messages} == {"acme"}
    assert {message["machine_id"] for message in messages} == {"well-0001", "well-0002", "well-0003"}


def test_simulated_wells_are_fed_by_tag(broker: Settings, run: Callable[..., str]) -> None:
    text = run("simulate", "--wells", 2, "--hours", 1, "--kinds", "rod", "--flat-out", "--form", "tag")
    assert "readings of 2 machines" in text
    tags = {message["tag"] for message in first_messages(broker, 8)}
    assert tags <= {"casing_pressure", "tubing_pressure", "line_pressure", "flow_rate"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("simulate", "--factor", 2, "--flat-out"), "not both"),
        (("simulate", "--hours", 2, "--days", 1), "not both"),
        (("simulate", "--hours", 0), "cannot simulate"),
        (("simulate", "--start", "soon"), "ISO 8601"),
        (("simulate", "--rate", "gap"), "kind=factor"),
        (("simulate", "--rate", "gaps=2"), "'gaps'"),
        (("simulate", "--kinds", "steam"), "steam"),
        (("feed", "nowhere.csv", "--flat-out"), "not there"),
    ],
)
def test_what_cannot_be_meant_is_said(run: Callable[..., str], arguments: tuple[object, ...], words: str) -> None:
    run(*arguments, fails_with=words)
