"""The sink as a process, between a broker and a DynamoDB."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.label_store import LabelStore
from streams.label_store.rows import LabelRow, letters
from streams.settings import Settings
from streams.topics_admin import create_topics
from tests.chaos.bad_dynamodb import THROTTLED, BadDynamo
from tests.conftest import MakeSettings
from tests.processes import wait_until
from tests.streams.making_labels import START_MS, a_row, minutes_of_rows

WITHIN_S = 60.0
ENDS_WITHIN_S = 12.0  # a few seconds, on a machine that has other work
PROGRAM = "from streams.settings import load_settings; from streams.sink import run_sink; run_sink(load_settings())"

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def settings(any_broker_url: str, embedded_aws_url: str, make_settings: MakeSettings) -> Settings:
    """Both brokers, with a label topic; a sink that waits a second for the rest of a minute."""
    settings = make_settings(any_broker_url, embedded_aws_url, sink={"linger_s": 1.0})
    create_topics(settings)
    with LabelStore(settings.dynamodb) as store:
        store.ensure_table()
    return settings


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts sinks; none outlives the test."""
    with contextlib.ExitStack() as at_the_end:

        def begin(settings: Settings, **sink: str) -> subprocess.Popen[bytes]:
            environment = os.environ | {
                "WELLSENTRY_BROKER__URL": settings.broker.url,
                "WELLSENTRY_BROKER__TOPIC_PREFIX": settings.broker.topic_prefix,
                "WELLSENTRY_BROKER__PARTITIONS": str(settings.broker.partitions),
                "WELLSENTRY_BROKER__SESSION_TIMEOUT_S": "6",
                "WELLSENTRY_DYNAMODB__ENDPOINT": str(settings.dynamodb.endpoint),
                "WELLSENTRY_DYNAMODB__TABLE": settings.dynamodb.table,
                "WELLSENTRY_DYNAMODB__ACCESS_KEY_ID": "local",
                "WELLSENTRY_DYNAMODB__SECRET_ACCESS_KEY": "local",
                "WELLSENTRY_SINK__APP_ID": settings.sink.app_id,
                "WELLSENTRY_SINK__LINGER_S": str(settings.sink.linger_s),
                **sink,
            }
            log = at_the_end.enter_context((tmp_path / f"sink-{time.monotonic_ns()}.log").open("wb"))
            process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stderr=log)
            at_the_end.callback(end, process, signal.SIGKILL)
            return process

        yield begin
    for log in sorted(tmp_path.glob("sink-*.log")):
        print(log.read_text()[-4000:])


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
    if process.poll() is None:
        process.send_signal(number)
    return process.wait(WITHIN_S)


def send(settings: Settings, rows: Sequence[LabelRow], *others: bytes | None) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.broker.url, linger_ms=20)
    for row in rows:
        producer.send(settings.topics.labels.name, key=row.machine_id.encode(), value=letters(row))
    for value in others:
        producer.send(settings.topics.labels.name, key=b"well-7", value=value)
    producer.flush()
    producer.close()


def wait_for(store: LabelStore, labels: int) -> None:
    deadline = time.monotonic() + WITHIN_S
    while True:
        asked = time.monotonic()
        count = store.count()
        if count >= labels:
            return
        answered = time.monotonic()
        assert answered < deadline, f"{count} of {labels} labels stored"
        time.sleep(max(0.2, 2 * (answered - asked)))  # counting reads all of the table, which keeps the sink waiting


def committed(settings: Settings) -> Mapping[int, int | None]:
    consumer = KafkaConsumer(bootstrap_servers=settings.broker.url, group_id=settings.sink.app_id)
    topic = settings.topics.labels.name
    offsets = {n: consumer.committed(TopicPartition(topic, n)) for n in range(settings.broker.partitions)}
    consumer.close()
    return offsets


def stored(store: LabelStore) -> list[bytes]:
    return sorted({letters(row) for row in store.rows()})


def test_labels_reach_the_table_to_the_letter_and_what_is_none_stops_nothing(settings: Settings, start: Start) -> None:
    rows = minutes_of_rows(machines=20, seconds=180, step_s=10)
    send(settings, rows, b"no label", None)
    send(settings, [a_row(time_ms=START_MS)])
    start(settings)
    with LabelStore(settings.dynamodb) as store:
        wait_for(store, len(rows) + 1)
        assert stored(store) == sorted(map(letters, [*rows, a_row(time_ms=START_MS)]))


def test_a_sink_that_is_told_to_end_writes_and_commits_what_it_has(settings: Settings, start: Start) -> None:
    settings = settings.model_copy(update={"sink": settings.sink.model_copy(update={"linger_s": 3600.0})})
    rows = minutes_of_rows(machines=8, seconds=90, step_s=10)
    send(settings, rows)
    sink = start(settings, WELLSENTRY_SINK__LABELS_PER_ITEM="6")
    with LabelStore(settings.dynamodb) as store:
        wait_for(store, 8 * 6)  # six of each machine are full, the others wait
        assert end(sink) == 0
        assert store.count() == len(rows)
    assert sum(offset or 0 for offset in committed(settings).values()) == len(rows)


def test_a_sink_under_load_ends_within_seconds_and_loses_nothing(
    kafka_url: str, dynamodb_local_endpoint: str, make_settings: MakeSettings, start: Start
) -> None:
    settings = make_settings(kafka_url, dynamodb_local_endpoint, sink={"linger_s": 3600.0})
    create_topics(settings)
    rows = minutes_of_rows(machines=2_000, seconds=20, step_s=1)
    send(settings, rows)
    with LabelStore(settings.dynamodb) as store:
        store.ensure_table()
        sink = start(settings, WELLSENTRY_SINK__LABELS_PER_ITEM="4")
        wait_for(store, 1)
        began = time.monotonic()
        assert end(sink) == 0
        assert time.monotonic() - began < ENDS_WITHIN_S
        # The first one may have ended amid a bundle; what is left of that then never fills another.
        start(settings, WELLSENTRY_SINK__LABELS_PER_ITEM="4", WELLSENTRY_SINK__LINGER_S="1")
        wait_for(store, len(rows))
        assert stored(store) == sorted(map(letters, rows))


def test_a_sink_ends_within_seconds_while_dynamodb_takes_nothing(settings: Settings, start: Start) -> None:
    rows = minutes_of_rows(machines=20, seconds=60, step_s=10)
    send(settings, rows)
    with BadDynamo(str(settings.dynamodb.endpoint), seed=1) as bad, LabelStore(settings.dynamodb) as store:
        bad.trouble, bad.kinds = 1.0, (THROTTLED,)
        sink = start(settings, WELLSENTRY_DYNAMODB__ENDPOINT=bad.url, WELLSENTRY_SINK__MAX_ATTEMPTS="1000")
        wait_until(lambda: bad.happened[THROTTLED] > 4, WITHIN_S, "attempts")
        began = time.monotonic()
        assert end(sink) == 0
        assert time.monotonic() - began < ENDS_WITHIN_S
        assert not any(committed(settings).values())
        start(settings)
        wait_for(store, len(rows))
        assert stored(store) == sorted(map(letters, rows))


def test_sinks_killed_at_work_lose_and_change_nothing(settings: Settings, start: Start) -> None:
    rows = minutes_of_rows(machines=30, seconds=300, step_s=5)
    send(settings, rows[: len(rows) // 2])
    with LabelStore(settings.dynamodb) as store:
        for kill_at in (50, 500):
            sink = start(settings)
            wait_for(store, kill_at)
            end(sink, signal.SIGKILL)
        send(settings, rows[len(rows) // 2 :])
        start(settings)
        start(settings)
        wait_for(store, len(rows))
        assert stored(store) == sorted(map(letters, rows))


def test_a_dynamodb_that_keeps_failing_ends_the_sink_and_commits_nothing(settings: Settings, start: Start) -> None:
    send(settings, [a_row()])
    sink = start(settings, WELLSENTRY_SINK__MAX_ATTEMPTS="2", WELLSENTRY_DYNAMODB__ENDPOINT="http://127.0.0.1:9")
    assert sink.wait(WITHIN_S) != 0
    assert not any(committed(settings).values())
