"""A topic of labels onto which somebody writes what is none: the sink goes on, stores every label and says what it passed."""

import random

import pytest
from kafka import KafkaProducer

from streams.label_store import LabelStore
from streams.label_store.rows import decode_label, letters
from tests.chaos.conftest import MakeDisturbed
from tests.chaos.disturbed import spoke_too_often, warnings
from tests.chaos.whole_topics import whole
from tests.processes import wait_until

GARBAGE: tuple[bytes | None, ...] = (
    None,
    b"",
    b"{}",
    b"null",
    b"\xff\xfe\x00",
    b'{"label_id": "load-0-1-0"',
    b'{"label_id": "load-0-1-0", "surely": "not a label"}',
    b"[" * 2_000,
    b'{"label_id": 7}' * 10_000,
)


@pytest.mark.make_chaos
def test_garbage_among_labels_is_passed_over_and_counted(
    kafka_url: str, make_disturbed: MakeDisturbed, seed: int
) -> None:
    story = make_disturbed(kafka_url, {})
    topic, sent = story.settings.topics.labels.name, 0
    rng = random.Random(seed)
    producer = KafkaProducer(bootstrap_servers=kafka_url, acks="all")
    with story.running("worker") as worker, story.running("sink") as sink:
        for _ in range(20):
            story.feed(2)
            for value in rng.sample(GARBAGE, 5):
                home = rng.randrange(story.settings.broker.partitions)
                producer.send(topic, key=b"well-001", value=value, partition=home)
                sent += 1
        producer.flush()
        producer.close()
        story.settle(worker, sink)
        wait_until(lambda: _passed(sink) == sent, 30.0, "the count of what holds no label", sink)
        assert spoke_too_often(sink, 10.0) == []
        assert [one.end() for one in (worker, sink)] == [0, 0]
    labels = {
        letters(decode_label(record.value))
        for some in whole(story.settings, topic).values()
        for record in some
        if record.value not in GARBAGE
    }
    with LabelStore(story.settings.dynamodb) as store:
        assert {letters(row) for row in store.rows()} == labels


def _passed(sink: object) -> int:
    return sum(int(one["records"]) for one in warnings(sink) if one.get("action") == "skip")  # type: ignore[arg-type]
