"""The whole way through a Kafka that demands something, and what programs say when it keeps them out."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.labels import Label
from streams.audit.audit import Scope
from streams.audit.running import run_audit
from streams.settings import Settings
from tests.conftest import MakeSettings
from tests.processes import running, wait_until
from tests.secured_kafka import PASSWORD, SESSION_S, SecuredKafka
from tests.topics_at_hand import TopicsAtHand

AtHand = Callable[[Settings], TopicsAtHand]


@pytest.fixture
def at() -> Iterator[AtHand]:
    """Makes the topics of an installation, and lets go of them at the end."""
    made: list[TopicsAtHand] = []

    def make(settings: Settings) -> TopicsAtHand:
        made.append(TopicsAtHand(settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


START_S = 1_700_000_000


def readings(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "client_id": "acme",
            "machine_id": f"well-{i % 5}",
            "time": START_S + 60 * i,
            "casing_pressure": 300.0 + i % 7,
            "tubing_pressure": 200.0,
        }
        for i in range(first, first + count)
    ]


@pytest.mark.parametrize("listener", ["ssl", "mtls", "scram", "plain", "oauth", "clear"])
def test_readings_become_labels_whatever_kafka_demands(
    secured_kafka: SecuredKafka, make_settings: MakeSettings, at: AtHand, tmp_path: Path, listener: str
) -> None:
    broker = secured_kafka.broker(listener)
    if listener == "oauth":
        broker["token_file"] = str(secured_kafka.token(tmp_path / "token"))
    settings = make_settings(broker=broker, log={"level": "debug"})
    at_hand = at(settings)
    at_hand.feed(readings(200))
    with running("worker", settings, tmp_path) as worker:
        labels = at_hand.reader(settings.topics.labels.name)
        wait_until(lambda: len(labels.more()) >= 200, what="labels", process=worker)
    assert worker.end() == 0
    assert len({Label.model_validate_json(record.value).label_id for record in labels.more()}) == 200
    assert PASSWORD not in worker.log.read_text()


def test_the_whole_way_over_scram_ends_in_an_audit_without_a_gap(
    secured_kafka: SecuredKafka, embedded_aws_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(None, embedded_aws_url, broker=secured_kafka.broker("scram"), sink={"linger_s": 0.5})
    at_hand = at(settings)
    (tmp_path / "wells.csv").write_text(
        "time,casing_pressure,tubing_pressure\n"
        + "".join(f"2026-01-01T{i // 60:02d}:{i % 60:02d}:00Z,{300 + i % 7},200\n" for i in range(300))
    )
    with (
        running("worker", settings, tmp_path) as worker,
        running("trainer", settings, tmp_path) as trainer,
        running("sink", settings, tmp_path) as sink,
        running("feed", settings, tmp_path, arguments=[str(tmp_path / "wells.csv"), "--flat-out"]) as feed,
    ):
        wait_until(lambda: not feed.running, what="the end of the feed")
        labels, models = (at_hand.reader(one.name) for one in (settings.topics.labels, settings.topics.models))
        wait_until(lambda: len(labels.more()) >= 300, what="labels", process=worker)
        wait_until(lambda: len(models.more()) >= 1, what="a model", process=trainer)
        wait_until(lambda: '"labels stored"' in sink.log.read_text(), what="stored labels", process=sink)
    scope = Scope(settings.topics.readings.name, settings.worker.stacks)
    report = run_audit(settings, scope, int(time.time() * 1000), lambda *_: None)
    assert report.in_order, report
    assert report.labels == report.stored == 300
    assert PASSWORD not in "".join(one.log.read_text() for one in (worker, trainer, sink, feed))


def test_a_token_that_runs_out_is_replaced_while_the_worker_runs(
    secured_kafka: SecuredKafka, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    file = secured_kafka.token(tmp_path / "token", lives_s=SESSION_S)
    settings = make_settings(broker=secured_kafka.broker("oauth", token_file=str(file)))
    looking_on = make_settings(secured_kafka.url)
    at_hand = at(looking_on)
    labels = at_hand.reader(settings.topics.labels.name)
    secured_kafka.token(file, lives_s=3600)
    with running("worker", settings, tmp_path) as worker:
        sent, until = 0, time.monotonic() + 3 * SESSION_S
        while time.monotonic() < until:
            sent += at_hand.feed(readings(20, sent))
            wait_until(lambda count=sent: len(labels.more()) >= count, what="labels", process=worker)
    assert worker.end() == 0
    assert len({Label.model_validate_json(record.value).label_id for record in labels.more()}) == sent


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "not-the-password"}, "refuses user admin"),
        ({"ca_file": "other"}, "signer must be in broker.ca_file"),
        ({"url": "127.0.0.1"}, "is for another name"),
        ({"security_protocol": "plaintext", "ca_file": None, "user": None, "password": None, "sasl_mechanism": None},
         "does it demand TLS"),
    ],
)  # fmt: skip
def test_a_worker_that_is_kept_out_ends_and_says_why(
    secured_kafka: SecuredKafka, make_settings: MakeSettings, tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    if wrong.get("ca_file"):
        wrong = {"ca_file": str(secured_kafka.certificates.other_ca)}
    if "url" in wrong:
        wrong = {"url": secured_kafka.at("scram").replace("localhost", wrong["url"])}
    settings = make_settings(broker=secured_kafka.broker("scram", **wrong), log={"level": "debug"})
    with running("worker", settings, tmp_path) as worker:
        wait_until(lambda: not worker.running, within_s=40, what="its end")
        assert worker.end() == 1
    assert said in worker.tail()
    assert "Traceback" not in worker.tail()
    written = worker.log.read_text()
    assert "not-the-password" not in written
    assert PASSWORD not in written
