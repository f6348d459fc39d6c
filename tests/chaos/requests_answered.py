"""A trainer that is killed again and again, and what must hold of its answers."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from kafka import KafkaProducer

from schemas.errors import DamagedEntry
from schemas.training import ModelUpdate, TrainingRequest
from streams.registry import Registry
from tests.chaos.story import Story
from tests.chaos.trainer_points import POINTS
from tests.chaos.whole_topics import committed, ends, whole
from tests.processes import wait_until
from tests.streams.trainer_parts import request

_MACHINES = 6
_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of the requests."""

    requests: int
    models: int
    sent_again: int
    entries: int
    wrong: list[str]

    def __str__(self) -> str:
        return (
            f"{self.requests} requests, {self.models} models, {self.sent_again} sent again, {self.entries} entries, "
            f"{len(self.wrong)} differences"
        )


def send_and_kill(story: Story, kills: int) -> Answered:
    """Kill a trainer at each point, requests coming between; then let one answer all that is left."""
    sent: list[TrainingRequest] = []
    for at, point in enumerate([one for one in POINTS for _ in range(kills)]):
        sent += _send(story, at)
        story.dies("trainer", point, most_passages=_MACHINES // 2)
    with story.running("trainer") as trainer:
        topic = story.settings.topics.training.name
        wait_until(
            lambda: committed(story.settings, story.group("trainer"), topic) == ends(story.settings, topic),
            _WITHIN_S,
            "all requests answered",
            trainer,
        )
        assert trainer.end() == 0, trainer.tail()
    return _look(story, sent)


def _send(story: Story, at: int) -> list[TrainingRequest]:
    """A request of each machine, each in a partition of its own so that none is collapsed into another's run."""
    partitions = story.settings.broker.partitions
    made = [request(f"well-{m}", offset=200 + at, partition=m % partitions) for m in range(_MACHINES)]
    producer = KafkaProducer(bootstrap_servers=story.settings.broker.url, acks="all")
    for one in made:
        producer.send(
            story.settings.topics.training.name,
            key=one.machine_id.encode(),
            value=one.model_dump_json().encode(),
            partition=one.source.partition,
        ).get(10)
    producer.close()
    return made


def _look(story: Story, sent: list[TrainingRequest]) -> Answered:
    """The newest request of each machine has its model, published as stored; what was sent twice is equal to the letter."""
    records = [record for some in whole(story.settings, story.settings.topics.models.name).values() for record in some]
    of_request: dict[tuple[str | None, str], list[bytes]] = defaultdict(list)
    for record in records:
        update = ModelUpdate.model_validate_json(record.value)
        if update.rung == "own":
            of_request[update.request_id, update.machine_id].append(record.value)
    wrong = [f"{key} was answered in two ways" for key, copies in of_request.items() if len(set(copies)) > 1]
    newest = {one.machine_id: one.request_id for one in sent}
    wrong += [f"{one} has no answer" for one in newest.items() if (one[1], one[0]) not in of_request]
    registry = Registry(story.settings.registry)
    entries: list[Any] = []
    for machine, request_id in newest.items():
        paths = registry.entries("acme", machine, "load")
        entries += paths
        wrong += _unlike_stored(registry, paths, of_request.get((request_id, machine), []), request_id)
        made_for = [registry.manifest(path).request_sha256 for path in paths]
        wrong += [f"{machine} has two entries for one request"] if len(set(made_for)) < len(made_for) else []
    copies = sum(map(len, of_request.values()))
    return Answered(len(sent), len(of_request), copies - len(of_request), len(entries), wrong)


def _unlike_stored(registry: Registry, paths: list[str], published: list[bytes], request_id: str) -> list[str]:
    try:
        stored = [registry.update(path) for path in paths]
    except DamagedEntry as error:
        return [f"damaged: {error}"]
    mine = [update.model_dump_json().encode() for update in stored if update.request_id == request_id]
    return [] if mine and set(mine) == set(published) else [f"{request_id} was not published as it is stored"]
