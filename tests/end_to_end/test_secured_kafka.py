"""The whole way through a Kafka that demands something, and what programs say when it keeps them out."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from schemas.labels import Label
from streams.access.aws import registry_files
from streams.audit.audit import Scope
from streams.audit.running import run_audit
from streams.settings import AwsSettings, Settings
from tests.certificates import KEY_PASSWORD
from tests.conftest import MakeSettings
from tests.processes import running, wait_until
from tests.secured_kafka import PASSWORD, SESSION_S, SecuredKafka
from tests.topics_at_hand import AtHand

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


def test_the_whole_way_over_scram_ends_in_an_audit_without_a_gap_and_no_secret_comes_out(
    secured_kafka: SecuredKafka, embedded_aws_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    keys = {name: f"marker-{name}-do-not-tell" for name in AwsSettings.model_fields}
    settings = make_settings(
        None,
        embedded_aws_url,
        broker=secured_kafka.broker(
            "scram",
            certificate_file=str(secured_kafka.certificates.client),
            key_file=str(secured_kafka.certificates.client_key),
            key_password=KEY_PASSWORD,
        ),
        sink={"linger_s": 0.5},
        dynamodb=keys,
        registry={"url": "s3://secret-models/wells", "s3_endpoint": embedded_aws_url} | keys,
        log={"level": "debug"},
    )
    secrets = secrets_of(settings)
    assert set(secrets) == {PASSWORD, KEY_PASSWORD, *keys.values()}, "a new secret wants a marker here"
    files, root = registry_files(settings.registry)
    files.makedirs(root, exist_ok=True)
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
        command_lines = "".join(path.read_text() for path in children_s_command_lines())
        wait_until(lambda: not feed.running, what="the end of the feed")
        readers = {one.name: at_hand.reader(one.name) for one in settings.topics}
        labels, models = readers[settings.topics.labels.name], readers[settings.topics.models.name]
        wait_until(lambda: len(labels.more()) >= 300, what="labels", process=worker)
        wait_until(lambda: len(models.more()) >= 1, what="a model", process=trainer)
        wait_until(lambda: '"labels stored"' in sink.log.read_text(), what="stored labels", process=sink)
    scope = Scope(settings.topics.readings.name, settings.worker.stacks)
    report = run_audit(settings, scope, int(time.time() * 1000), lambda *_: None)
    assert report.in_order, report
    assert report.labels == report.stored == 300

    programs = [worker, trainer, sink, feed]
    for command in (["config"], ["config", "--json"], ["doctor"], ["topics", "check"]):
        with running(command[0], settings, tmp_path, arguments=command[1:]) as program:
            wait_until(lambda one=program: not one.running, what="its end")
        programs.append(program)
    assert "(hidden)" in programs[-4].log.read_text()
    came_out = {f"log {n}": one.log.read_bytes() for n, one in enumerate(programs)}
    came_out |= {name: b"".join(record.value or b"" for record in one.more()) for name, one in readers.items()}
    came_out |= {path: files.cat_file(path) for path in files.find(root)}
    came_out |= {"command lines": command_lines.encode(), "report": repr(report).encode()}
    assert any("manifest.json" in name for name in came_out)
    assert command_lines.count("streams.cli.main") >= 3
    assert [(name, secret) for name, said in came_out.items() for secret in secrets if secret.encode() in said] == []


def secrets_of(settings: Settings) -> list[str]:
    """Every secret that is set."""
    sections = [getattr(settings, name) for name in type(settings).model_fields]
    values = [getattr(section, name) for section in sections for name in type(section).model_fields]
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def children_s_command_lines() -> list[Path]:
    """Of this process's children, as everybody on this machine can read them."""
    (task,) = [Path(f"/proc/self/task/{os.getpid()}/children")]
    return [Path(f"/proc/{pid}/cmdline") for pid in task.read_text().split()]


@pytest.mark.make_chaos  # it waits for tokens to run out
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
