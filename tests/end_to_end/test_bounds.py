"""What one client sends in excess costs that client its own messages, and nobody else a label."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.labels import Label
from schemas.rejected import Rejected
from tests.conftest import MakeSettings
from tests.processes import running, wait_until
from tests.topics_at_hand import TopicsAtHand

LARGEST = 65_536
#: What a broker takes at most, unless it is told otherwise, is little more than this.
NEARLY_A_MEGABYTE = 1_000_000


def reading(client: str, machine: str, at: int, **more: Any) -> dict[str, Any]:
    return {"client_id": client, "machine_id": machine, "time": 1_700_000_000 + at, "flow_rate": 1.0, **more}


@pytest.fixture
def at_hand(kafka_url: str, make_settings: MakeSettings) -> Iterator[TopicsAtHand]:
    """A worker's topics; three machines of a client and five of all may be in a partition."""
    knobs = {"max_machines_per_client": 3, "max_machines": 5, "max_message_bytes": LARGEST}
    found = TopicsAtHand(make_settings(kafka_url, broker={"partitions": 1}, worker=knobs))
    yield found
    found.close()


def test_a_flood_of_one_client_costs_the_others_no_label(at_hand: TopicsAtHand, tmp_path: Path) -> None:
    topics = at_hand.topics
    at_hand.feed(reading("honest", "well-1", i) for i in range(50))
    hostile = [
        (b"big", b'{"machine_id": "big", "time": 1, "x": "' + b"x" * NEARLY_A_MEGABYTE + b'"}'),
        (b"k" * 500_000, b"v" * 500_000),
        (b"deep", b"[" * 60_000),
        (b"unit", b'{"machine_id": "unit", "time": 1, "flow_rate": 1, "unit": "' + b"u" * 60_000 + b'"}'),
        (b"many", b'{"machine_id": "many", "time": 1, %s}' % b", ".join(b'"s%d": 1' % i for i in range(4_000))),
        (b"number", b'{"machine_id": "number", "time": 1, "flow_rate": %s}' % (b"9" * 60_000)),
        (b"tag", b'{"machine_id": "tag", "time": 1, "tag": "%s", "value": 1}' % (b"t" * 60_000)),
    ]
    at_hand.send(topics.readings.name, hostile, machine="any")
    at_hand.feed(reading("greedy", f"g-{i}", i) for i in range(10))
    at_hand.feed(reading(f"other-{i}", f"o-{i}", i) for i in range(10))
    at_hand.feed(reading("honest", "well-1", i) for i in range(50, 100))
    with running("worker", at_hand.settings, tmp_path) as worker:
        labels, refused = at_hand.reader(topics.labels.name), at_hand.reader(topics.rejected.name)
        wait_until(lambda: len(labels.more()) >= 100 + 3 + 1, what="labels", process=worker)
        wait_until(lambda: len(refused.more()) >= len(hostile) + 7 + 9, what="rejections", process=worker)
    assert worker.end() == 0
    made = [Label.model_validate_json(record.value) for record in labels.more()]
    assert sum(label.client_id == "honest" for label in made) == 100
    assert {label.machine_id for label in made} == {"well-1", "g-0", "g-1", "g-2", "o-0"}

    told = [Rejected.model_validate_json(record.value) for record in refused.more()]
    reasons = [one.reason for one in told]
    assert reasons[:7] == [
        "too_large", "too_large", "not_json", "unknown_unit", "not_a_reading", "not_json", "not_a_reading",
    ]  # fmt: skip
    assert set(reasons[7:]) == {"too_many_machines"}
    assert "worker.max_machines_per_client" in told[7].detail
    assert "worker.max_machines " in told[-1].detail
    assert all(len(one.detail) <= 500 for one in told)
    assert told[0].value == hostile[0][1][:LARGEST], "cut, and it says so"
    assert f"first {LARGEST} bytes" in told[0].detail
    assert told[1].key == b"k" * 1024
    assert told[2].value == hostile[2][1]
    assert worker.log.read_text().count('"level": "warning"') < 5
