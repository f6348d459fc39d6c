"""Labels made again from live topics: to the letter with the models of then, and nothing of production is touched."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from streams.access.broker import for_kafka_python
from streams.partitions import partition_of
from streams.reading_ranges import Bounds, RangeReader
from streams.replay.lines import id_of
from streams.replay.plan import Asked
from streams.replay.whole import Done, replay
from streams.settings import Settings, load_settings
from tests.chaos.fleet import Fleet
from tests.processes import running, wait_until
from tests.topics_at_hand import TopicsAtHand

MACHINES = 12
BURSTS = 420
LEAKS, LEAKS_FROM = "well-005", 370


EVERYTHING = Bounds()


class Installation(NamedTuple):
    """Topics full of a fleet's readings and what a worker and a trainer made of them."""

    settings: Settings
    labels: list[bytes]  # each once, in the order of the topic


@pytest.fixture(scope="module")
def lived(kafka_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A fleet that sends late, by tag and nonsense, with refits meanwhile and a worker that is killed once."""
    where = tmp_path_factory.mktemp("lived")
    prefix = f"test-replay-{where.name[-6:]}-{hash(where) % 10**6}"
    settings = load_settings(
        broker={"url": kafka_url, "topic_prefix": prefix, "partitions": 2},
        worker={"app_id": f"{prefix}-worker", "changelog_interval_s": 0.3, "adoption_interval_s": 0.2},
        trainer={"app_id": f"{prefix}-trainer"},
        registry={"url": str(where / "registry")},
    )
    at_hand, fleet = TopicsAtHand(settings), Fleet(seed=3, machines=MACHINES)
    labels, models = at_hand.reader(settings.topics.labels.name), at_hand.reader(settings.topics.models.name)

    def labelled_to(burst: int) -> bool:
        messages = [one for number in range(burst) for one in fleet.burst(number) if one.good]
        held = sum(b'"tag"' in (one.value or b"") for one in messages) // 2  # the first of each pair
        first = {label_id for record in labels.more() if (label_id := id_of(record.value)).endswith("-0")}
        return len(first) >= len(messages) - held

    with running("trainer", settings, where) as trainer:
        with running("worker", settings, where) as worker:
            _send(settings, fleet, range(250))
            wait_until(lambda: len({r.key for r in models.more()}) >= MACHINES, what="models", process=trainer)
            _send(settings, fleet, range(250, 330))
            wait_until(lambda: labelled_to(330), what="labels", process=worker)
            worker.kill()
        with running("worker", settings, where) as worker:
            _send(settings, fleet, range(330, BURSTS))
            wait_until(lambda: labelled_to(BURSTS), what="the last labels", process=worker)
            assert worker.end() == 0, worker.tail()
    yield Installation(settings, list(dict.fromkeys(record.value for record in labels.more())))
    at_hand.close()


def _send(settings: Settings, fleet: Fleet, bursts: Iterable[int]) -> None:
    """Send bursts, each message to the partition of its machine whatever its key says."""
    producer = KafkaProducer(**for_kafka_python(settings.broker), acks="all", linger_ms=5)
    for number in bursts:
        for one in fleet.burst(number):
            partition, value = partition_of(one.home, settings.broker.partitions), one.value
            if one.home == LEAKS and number >= LEAKS_FROM and value is not None:
                value = value.replace(b'"casing_pressure": 3', b'"casing_pressure": 5')
            producer.send(settings.topics.readings.name, key=one.key, value=value, partition=partition)
    producer.flush()
    producer.close()


async def _replay(
    lived: Installation, where: Path, *, bounds: Bounds = EVERYTHING, with_diff: bool = True, **asked: Any
) -> Done:
    return await replay(
        lived.settings, Asked(**asked), bounds, where / "work", with_diff=with_diff, on_progress=lambda _: None
    )


def _made(where: Path) -> list[bytes]:
    return (where / "labels.jsonl").read_bytes().splitlines()


async def test_with_the_models_of_then_labels_are_those_of_then_to_the_letter(
    lived: Installation, tmp_path: Path
) -> None:
    before = await _fingerprint(lived.settings)
    done = await _replay(lived, tmp_path, output=str(tmp_path / "labels.jsonl"))
    assert await _fingerprint(lived.settings) == before, "topics and groups are as they were"
    assert sorted(_made(tmp_path)) == sorted(lived.labels)
    said = [json.loads(label) for label in lived.labels]
    assert {label["model_rung"] for label in said} == {None, "own", "fleet"}
    assert {label["alert"] for label in said} >= {"quiet", "opened", "open"}
    assert any(label["revision"] for label in said), "late readings changed labels"
    assert any(label["partner_offset"] for label in said), "some come by tag"
    assert done.comparison is not None
    assert (done.comparison.identical, done.comparison.is_same) == (len(lived.labels), True)


async def test_a_stretch_amid_the_topic_begins_with_snapshots_and_gives_the_labels_of_then(
    lived: Installation, tmp_path: Path
) -> None:
    early = ("well-000", "well-001", "well-002", "well-003")  # wide, late, with events, by tag
    first = max(label["source_offset"] for label in map(json.loads, lived.labels)) * 3 // 4
    done = await _replay(
        lived, tmp_path, bounds=Bounds(from_offset=first), machines=early, output=str(tmp_path / "labels.jsonl")
    )
    plans = done.plan.partitions.values()
    assert all(0 < one.start_offset < one.first_offset for one in plans), "neither cold nor from the topic's beginning"
    assert done.comparison is not None
    assert done.comparison.is_same
    made = set(_made(tmp_path))
    assert made < set(lived.labels)
    wanted = {
        label
        for label in lived.labels
        if (it := json.loads(label))["machine_id"] in early and it["source_offset"] >= first and not it["revision"]
    }
    assert wanted <= made
    assert any(json.loads(label)["revision"] for label in made)


async def _fingerprint(settings: Settings) -> dict[str, Any]:
    """A checksum of everything on the topics of an installation, and the offsets of all groups on the broker."""
    found: dict[str, Any] = {}
    async with RangeReader(settings.broker) as reader:
        for topic in settings.topics:
            digests: dict[int, Any] = {}
            async for run in reader.read(await reader.find(topic.name, Bounds())):
                digest = digests.setdefault(run.tp.partition, hashlib.sha256())
                for one in run.records:
                    digest.update(repr((one.offset, one.timestamp, one.key, one.value)).encode())
            found[topic.name] = {number: digest.hexdigest() for number, digest in digests.items()}
    admin = KafkaAdminClient(**for_kafka_python(settings.broker))
    groups = sorted(str(group["group_id"]) for group in admin.list_groups())
    found["groups"] = {name: admin.list_group_offsets(name)[name] for name in groups}
    admin.close()
    return found
