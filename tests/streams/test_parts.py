"""The local parts: they start, answer, keep data over a restart, and leave nothing behind."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from schemas.errors import BrokerError, MissingPart
from streams.parts import kafka_jars, maven
from streams.parts.embedded_broker import EmbeddedBroker
from streams.parts.kafka_jars import KafkaJars
from streams.parts.part import Part
from streams.parts.ports import free_port, is_listening

DEADLINE_S = 30.0


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S} s for {what}"
        time.sleep(0.02)


def send(url: str, topic: str, values: list[bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=url, acks="all")
    try:
        for future in [producer.send(topic, value, partition=0) for value in values]:
            future.get(timeout=DEADLINE_S)
    finally:
        producer.close()


def read(url: str, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=url, enable_auto_commit=False, group_id=None)
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        values: list[bytes] = []
        deadline = time.monotonic() + DEADLINE_S
        while len(values) < count and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200).values():
                values += [record.value for record in records]
        return values
    finally:
        consumer.close()


def create_topic(url: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=url)
    try:
        admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
    finally:
        admin.close()


def test_any_broker_gives_back_what_was_sent_in_order(any_broker_url: str, unique_prefix: str) -> None:
    topic = f"{unique_prefix}.readings"
    values = [b"%d" % number for number in range(100)]
    create_topic(any_broker_url, topic)
    send(any_broker_url, topic, values)
    assert read(any_broker_url, topic, len(values)) == values


def test_any_dynamodb_gives_back_what_was_put(dynamodb_endpoint: str, unique_prefix: str) -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url=dynamodb_endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )
    table = f"{unique_prefix}-labels"
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "machine", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "machine", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"machine": {"S": "well-7"}, "loads_psi": {"L": [{"N": "81.25"}, {"N": "80.5"}]}}
    client.put_item(TableName=table, Item=item)
    assert client.get_item(TableName=table, Key={"machine": {"S": "well-7"}})["Item"] == item
    client.close()


def test_s3_gives_back_what_was_put(s3_endpoint: str, unique_prefix: str) -> None:
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket=unique_prefix)
    client.put_object(Bucket=unique_prefix, Key="models/a", Body=b"model")
    assert client.get_object(Bucket=unique_prefix, Key="models/a")["Body"].read() == b"model"
    client.close()


def test_a_part_leaves_neither_process_nor_file() -> None:
    with EmbeddedBroker() as broker:
        directory, port = broker.directory, int(broker.url.split(":")[1])
        assert is_listening(port)
    assert not is_listening(port)
    assert not directory.exists()
    assert broker.pid is None


def test_two_of_a_kind_run_at_once() -> None:
    with EmbeddedBroker() as one, EmbeddedBroker() as two:
        assert one.url != two.url
        assert one.answers()
        assert two.answers()


def test_a_part_and_its_files_go_when_its_starter_is_killed() -> None:
    program = (
        "import time\n"
        "from streams.parts.embedded_broker import EmbeddedBroker\n"
        "part = EmbeddedBroker(); part.start(); print(part.url, part.directory, flush=True); time.sleep(600)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    with starter.stdout:
        url, directory = starter.stdout.readline().split()
    starter.kill()
    starter.wait()
    wait_until(lambda: not is_listening(int(url.split(":")[1])), "the broker's end")
    wait_until(lambda: not Path(directory).exists(), "the end of its directory")


def test_kafka_keeps_its_data_and_its_address_over_a_restart(own_kafka: KafkaJars) -> None:
    url = own_kafka.url
    create_topic(url, "readings")
    send(url, "readings", [b"before"])
    own_kafka.restart()
    assert own_kafka.url == url
    send(url, "readings", [b"after"])
    assert read(url, "readings", 2) == [b"before", b"after"]


class _EndsAtOnce(Part):
    name = "A part that ends at once"
    error = BrokerError

    def command(self, port: int) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-c", "print('no disk'); raise SystemExit(3)"]

    def address(self, port: int) -> str:
        return f"127.0.0.1:{port}"

    def answers(self) -> bool:
        return True


class _NeverAnswers(_EndsAtOnce):
    name = "A part that never answers"
    start_within_s = 0.3

    def command(self, port: int) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-c", "import time; print('thinking', flush=True); time.sleep(600)"]


def test_a_part_that_ends_while_starting_says_what_its_log_says() -> None:
    part = _EndsAtOnce()
    with pytest.raises(BrokerError, match=r"A part that ends at once ended while starting(.|\n)*no disk"):
        part.__enter__()
    assert part.pid is None


def test_a_part_that_never_answers_is_given_up_after_its_deadline() -> None:
    part = _NeverAnswers()
    with pytest.raises(BrokerError, match=r"did not answer within 0 s"):
        part.__enter__()
    assert part.pid is None


def test_a_part_that_was_not_started_has_no_address() -> None:
    with pytest.raises(BrokerError, match="has not been started"):
        _ = EmbeddedBroker().url


def test_without_java_the_message_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPart, match="java is not installed"):
        KafkaJars().__enter__()


def test_without_maven_the_message_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WELLSENTRY_PARTS_DIR", str(tmp_path))
    with pytest.raises(MissingPart, match="mvn is not installed"):
        maven.jars("kafka")


def test_a_fetch_that_fails_leaves_nothing_that_looks_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "mvn"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho no route to the repository\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("WELLSENTRY_PARTS_DIR", str(tmp_path / "parts"))
    with pytest.raises(MissingPart, match="no route to the repository"):
        maven.jars("kafka")
    assert list((tmp_path / "parts").iterdir()) == []


def test_kafka_deletes_nothing_for_its_age_and_creates_no_topic_by_accident() -> None:
    written = kafka_jars.server_properties(Path("data"), 1, 2).splitlines()
    assert "log.retention.ms=-1" in written
    assert "auto.create.topics.enable=false" in written


def test_a_free_port_can_be_listened_on() -> None:
    assert not is_listening(free_port())


def test_no_port_is_given_twice_to_one_part() -> None:
    spoken_for = free_port()
    drawn: list[int] = []

    def the_spoken_for_first(candidates: Sequence[int]) -> int:
        drawn.append(random.choice(candidates) if drawn else spoken_for)
        return drawn[-1]

    assert free_port({spoken_for}, choose=the_spoken_for_first) != spoken_for
    assert drawn[0] == spoken_for


@pytest.mark.parametrize("arguments", [[], ["oracle"], ["kafka", "broker"]])
def test_the_command_says_which_parts_there_are(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streams.parts", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "kafka|dynamodb|broker|aws" in done.stderr
