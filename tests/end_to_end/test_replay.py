"""Labels made again from live topics: to the letter with the models of then, and nothing of production is touched."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from streams.access.broker import for_kafka_python
from streams.partitions import partition_of
from streams.reading_ranges import Bounds
from streams.replay.checkpoint import Work
from streams.replay.lines import id_of
from streams.replay.plan import Asked
from streams.replay.running import Progress
from streams.replay.whole import Done, replay
from streams.settings import Settings, load_settings
from tests.chaos.fleet import Fleet
from tests.processes import running, wait_until
from tests.topics_at_hand import TopicsAtHand

MACHINES = 12
BURSTS = 420


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
            partition = partition_of(one.home, settings.broker.partitions)
            producer.send(settings.topics.readings.name, key=one.key, value=one.value, partition=partition)
    producer.flush()
    producer.close()


async def _replay(
    lived: Installation, where: Path, *, bounds: Bounds = Bounds(), with_diff: bool = True, **asked: Any
) -> Done:
    return await replay(
        lived.settings, Asked(**asked), bounds, where / "work", with_diff=with_diff, on_progress=lambda _: None
    )


async def test_with_the_models_of_then_labels_are_those_of_then_to_the_letter(
    lived: Installation, tmp_path: Path
) -> None:
    done = await _replay(lived, tmp_path, output=str(tmp_path / "labels.jsonl"))
    made = (tmp_path / "labels.jsonl").read_bytes().splitlines()
    assert sorted(made) == sorted(lived.labels)
    print(
        len(made),
        done.progress,
        done.plan.readings,
        [len(p.steps) for p in done.plan.partitions.values()],
        done.comparison,
    )
