"""The trainer answers every request, loses none, and makes a fleet's model when there are enough machines."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiokafka import ConsumerRecord
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from models.fitting import digest_of
from schemas.errors import RegistryError
from schemas.training import ModelUpdate, TrainingRequest
from streams.partitions import partition_of
from streams.registry import Registry
from streams.runs.app import new_app
from streams.settings import Settings
from streams.topics_admin import create_topics
from streams.trainer import app as trainer_app
from streams.trainer.app import Trainer
from streams.trainer.fleets import MOST_MEMBERS, FleetWatch, fit_fleet_if_due
from streams.trainer.making import handle_request
from streams.trainer.publishing import partitions_of, publish_registry
from streams.trainer.requests import read_requests
from tests.conftest import MakeSettings
from tests.streams.trainer_parts import BUILD, NOW, QUICK, activation, entry, request

WITHIN_S = 60.0


def record(value: bytes | None, offset: int = 0, key: bytes = b"well-7") -> ConsumerRecord:
    return ConsumerRecord("training", 0, offset, 0, 0, key, value, -1, 0, 0, ())


def records(*requests: TrainingRequest) -> list[ConsumerRecord]:
    return [
        record(one.model_dump_json().encode(), offset, one.machine_id.encode()) for offset, one in enumerate(requests)
    ]


# -- requests


def test_of_several_requests_of_one_machine_only_the_newest_is_answered() -> None:
    old, other, new = request(offset=199), request("well-8"), request(offset=399)
    assert read_requests(records(old, other, new)) == [other, new]


def test_the_same_machine_of_another_client_or_stack_is_another_machine() -> None:
    ours, theirs = request(), request(client_id="other")
    flow = request().model_copy(update={"stack": "flow"})
    assert read_requests(records(ours, theirs, flow)) == [ours, theirs, flow]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        None,
        b"\xff",
        b"[]",
        b'{"request_id": 1}',
        request().model_copy(update={"medians": [[1.0], [2.0]]}).model_dump_json().encode(),
        request().model_copy(update={"medians": [[]]}).model_dump_json().encode(),
        request("*").model_dump_json().encode(),
        request("well-8").model_dump_json().encode(),
        request(partition=999).model_dump_json().encode(),
        request().model_dump_json().replace("[[2", "[[NaN,2").encode(),
        request(features=2).model_dump_json().replace("swing", "load").encode(),
    ],
)
def test_what_is_no_request_is_left_out_and_the_others_are_not(value: bytes | None) -> None:
    good = request()
    told: list[str] = []
    found = read_requests([record(value), *records(good), record(value)], lambda what, **_: told.append(what))
    assert found == [good]
    assert len(told) == 2


# -- making


def test_the_same_request_gives_the_same_model_whenever_it_is_answered() -> None:
    first, later = entry(), entry(minutes=90)
    assert first.update.digest == later.update.digest
    assert first.update.features == later.update.features
    assert first.update.manifest != later.update.manifest


def test_an_update_names_its_digest_its_request_and_its_manifest() -> None:
    update = entry().update
    assert update.digest == digest_of(update.features)
    assert update.request_id == "load-0-199"
    assert update.rung == "own"
    assert update.detector == "isolation_forest"
    assert update.readings == 60
    assert update.manifest.endswith(f"-{update.digest}/manifest.json")
    assert ModelUpdate.model_validate_json(update.model_dump_json()) == update


def test_a_history_without_a_finite_number_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="no finite median"):
        handle_request(request().model_copy(update={"medians": [[float("inf")]]}), NOW, QUICK, BUILD)


# -- the fleet


@pytest.fixture
def registry(make_settings: MakeSettings) -> Registry:
    return Registry(make_settings().registry)


def fill(registry: Registry, machines: Sequence[str]) -> None:
    for machine in machines:
        registry.store(entry(request(machine)))


def fleet(registry: Registry, after: int = 3, minutes: int = 0) -> Any:
    made = fit_fleet_if_due(registry, "acme", "load", after, NOW + timedelta(minutes=minutes), QUICK, BUILD)
    if made is not None:
        registry.store(made)
    return made


def test_a_fleet_gets_a_model_once_enough_machines_have_their_own(registry: Registry) -> None:
    fill(registry, ["a", "b"])
    assert fleet(registry) is None
    fill(registry, ["c"])
    made = fleet(registry)
    assert made.update.machine_id == "*"
    assert made.update.rung == "fleet"
    assert made.update.reason == "first"
    assert set(made.manifest.members) == {"a", "b", "c"}
    assert made.manifest.members["a"] == entry(request("a")).update.digest
    assert made.manifest.member_sources == {machine: request(machine).source for machine in "abc"}
    # in units of a machine's own spread: usual is within three of them or so
    assert -5 < made.update.features[0].expected_low < -1 < 1 < made.update.features[0].expected_high < 5


def test_a_fleets_model_is_made_anew_each_time_its_machines_have_doubled(registry: Registry) -> None:
    fill(registry, ["a", "b", "c"])
    first = fleet(registry)
    fill(registry, ["d", "e"])
    assert fleet(registry, minutes=1) is None
    fill(registry, ["f"])
    second = fleet(registry, minutes=2)
    assert second.update.parent_digest == first.update.digest
    assert second.update.reason == "more_history"
    assert len(second.manifest.members) == 6


def test_a_fleets_model_is_made_of_what_is_in_force_of_each_machine(registry: Registry) -> None:
    fill(registry, ["a", "b"])
    pinned, newer = entry(request("c")), entry(request("c", offset=299), minutes=10)
    registry.store(pinned)
    registry.store(newer)
    registry.activate("acme", "c", "load", activation(pinned, pinned=True))
    assert fleet(registry).manifest.members["c"] == pinned.update.digest != newer.update.digest


def test_other_clients_and_stacks_are_no_part_of_a_fleet(registry: Registry) -> None:
    fill(registry, ["a", "b"])
    registry.store(entry(request("c", client_id="other")))
    registry.store(entry(request("d").model_copy(update={"stack": "flow"})))
    assert fleet(registry) is None


def test_a_machine_with_other_features_or_damaged_data_is_left_out(registry: Registry) -> None:
    fill(registry, ["a", "b", "c"])
    registry.store(entry(request("two", features=2)))
    path = registry.store(entry(request("broken")))
    (Path(registry.url) / path).with_name("training.parquet").write_bytes(b"")
    assert set(fleet(registry).manifest.members) == {"a", "b", "c"}


def test_a_large_fleet_is_made_from_some_of_its_machines(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_MEMBERS < 1000
    monkeypatch.setattr("streams.trainer.fleets.MOST_MEMBERS", 4)
    fill(registry, "abcdefghij")
    made = fleet(registry)
    assert 3 <= len(made.manifest.members) <= 4
    assert made.manifest.parameters["machines"] == 10
    assert fleet(registry, minutes=1) is None  # counted by its machines, not by those that were used


def test_the_registry_is_looked_at_for_each_of_the_first_machines_and_then_ever_more_rarely() -> None:
    watch = FleetWatch(after_machines=5)
    looks = [n for n in range(1, 101) if watch.is_time_to_look("acme", f"well-{n}", "load")]
    assert looks[:5] == [1, 2, 3, 4, 5]
    assert len(looks) < 25
    assert not watch.is_time_to_look("acme", "well-1", "load")  # a refit is no new machine


# -- answering, without a broker


class Sent(list[tuple[int, ModelUpdate]]):
    """What a trainer published, instead of a broker."""

    async def __call__(self, partition: int, key: bytes, value: bytes) -> None:
        update = ModelUpdate.model_validate_json(value)
        assert key == update.key
        self.append((partition, update))


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(trainer={"trees": 10, "samples_per_tree": 32, "fleet_after_machines": 2})


def trainer(settings: Settings, sent: Sent, minutes: int = 0) -> Trainer:
    made = Trainer(
        new_app(settings, settings.trainer.app_id),
        settings,
        Registry(settings.registry),
        lambda: NOW + timedelta(minutes=minutes),
    )
    made._send = sent  # type: ignore[method-assign]
    return made


async def test_an_answer_is_in_the_registry_before_it_is_on_the_topic(settings: Settings) -> None:
    sent = Sent()
    await trainer(settings, sent).answer(request(partition=3))
    [(partition, update)] = sent
    assert partition == 3
    assert Registry(settings.registry).update(update.manifest) == update


async def test_a_request_that_comes_again_gets_the_same_answer_and_no_second_entry(settings: Settings) -> None:
    sent = Sent()
    await trainer(settings, sent).answer(request())
    await trainer(settings, sent, minutes=10).answer(request())  # as after a crash before the offset was committed
    assert sent[0] == sent[1]
    assert len(Registry(settings.registry).entries("acme", "well-7", "load")) == 1


async def test_a_request_with_the_same_id_and_another_history_is_another_request(settings: Settings) -> None:
    sent = Sent()
    one = trainer(settings, sent)
    await one.answer(request())
    await one.answer(request().model_copy(update={"medians": [np.linspace(0.0, 1.0, 60).tolist()]}))
    assert sent[0][1].digest != sent[1][1].digest


async def test_a_damaged_answer_is_made_again(settings: Settings) -> None:
    sent = Sent()
    await trainer(settings, sent).answer(request())
    (Path(settings.registry.url) / sent[0][1].manifest).with_name("lookup.json").write_bytes(b"")
    await trainer(settings, sent, minutes=1).answer(request())
    assert sent[1][1].digest == sent[0][1].digest
    assert Registry(settings.registry).update(sent[1][1].manifest) == sent[1][1]


async def test_a_fleets_model_goes_to_every_partition_and_once(settings: Settings) -> None:
    sent = Sent()
    one = trainer(settings, sent)
    for machine in ("a", "b", "c"):
        await one.answer(request(machine))
    fleets = [(partition, update.digest) for partition, update in sent if update.rung == "fleet"]
    assert [partition for partition, _ in fleets] == list(range(settings.broker.partitions))
    assert len({digest for _, digest in fleets}) == 1


async def test_a_fleets_model_that_was_stored_and_not_sent_is_sent_by_the_next_trainer(settings: Settings) -> None:
    registry = Registry(settings.registry)
    fill(registry, ["a", "b"])
    made = fleet(registry, after=2)
    sent = Sent()
    await trainer(settings, sent).answer(request("c"))
    assert (0, made.update) in sent


async def test_a_registry_that_fails_is_asked_until_it_works(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    store, sleep = Registry.store, asyncio.sleep

    def fails_thrice(self: Registry, made: Any) -> str:
        if len(waits) < 3:
            raise RegistryError("S3 is away")
        return store(self, made)

    async def no_sleep(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(Registry, "store", fails_thrice)
    monkeypatch.setattr(trainer_app.asyncio, "sleep", no_sleep)
    sent = Sent()
    await trainer(settings, sent).answer(request())
    assert waits == [0.5, 1.0, 2.0]
    assert len(sent) == 1


async def test_a_pinned_model_stays_in_force_and_refits_are_kept_all_the_same(settings: Settings) -> None:
    sent, registry = Sent(), Registry(settings.registry)
    old = entry(request(offset=100), minutes=-60)
    registry.store(old)
    key = ("acme", "well-7", "load")
    registry.activate(*key, activation(old, pinned=True))
    await trainer(settings, sent, minutes=120).answer(request())
    assert sent == []
    assert len(registry.entries(*key)) == 2
    registry.activate(*key, activation(old, minutes=130))
    await trainer(settings, sent, minutes=125).answer(request(offset=299))
    assert sent == [], "fitted before it was activated"
    await trainer(settings, sent, minutes=140).answer(request(offset=399))
    assert [update.request_id for _, update in sent] == ["load-0-399"]


async def test_a_fleet_s_model_that_was_activated_is_not_replaced_by_the_newest_there_was(settings: Settings) -> None:
    sent, registry = Sent(), Registry(settings.registry)
    fill(registry, ["a", "b"])
    first = fleet(registry, after=2)
    fill(registry, ["c", "d", "e"])
    fleet(registry, after=2, minutes=1)
    registry.activate("acme", "*", "load", activation(first))
    await trainer(settings, sent).answer(request("f"))
    assert {update.digest for _, update in sent if update.rung == "fleet"} == {first.update.digest}


async def test_a_history_that_cannot_be_fitted_is_left_out_and_does_not_stop_the_trainer(settings: Settings) -> None:
    sent = Sent()
    await trainer(settings, sent).answer(request().model_copy(update={"medians": [[1e300, 1e300]]}))
    assert sent == []


# -- on brokers


def on_topic(settings: Settings) -> list[tuple[int, ModelUpdate]]:
    """Everything on the models topic."""
    topic = settings.topics.models.name
    consumer = KafkaConsumer(
        bootstrap_servers=settings.broker.url, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        wanted = [TopicPartition(topic, partition) for partition in range(settings.broker.partitions)]
        consumer.assign(wanted)
        ends = consumer.end_offsets(wanted)
        found = []
        deadline = time.monotonic() + WITHIN_S
        while any(consumer.position(tp) < ends[tp] for tp in wanted):
            assert time.monotonic() < deadline
            for tp, some in consumer.poll(200).items():
                found += [(tp.partition, ModelUpdate.model_validate_json(one.value)) for one in some]
        return found
    finally:
        consumer.close()


@pytest.fixture
def on_broker(any_broker_url: str, make_settings: MakeSettings) -> Settings:
    settings = make_settings(
        any_broker_url,
        trainer={"trees": 10, "samples_per_tree": 32, "fleet_after_machines": 3},
        broker={"session_timeout_s": 6.0, "heartbeat_interval_s": 1.0},  # so that a killed one is soon missed
    )
    create_topics(settings)
    return settings


class Process:
    """A trainer of its own."""

    def __init__(self, settings: Settings, log: Path, publish_only: bool = False) -> None:
        self.log = log
        code = (
            "import sys; from streams.settings import Settings; from streams.trainer.app import run_trainer;"
            "run_trainer(Settings.model_validate_json(sys.argv[1]), sys.argv[2] == 'True')"
        )
        sections = settings.model_dump(mode="json", include={"broker", "trainer", "registry"})
        with log.open("ab") as file:
            self.child = subprocess.Popen(
                [sys.executable, "-c", code, json.dumps(sections), str(publish_only)], stdout=file, stderr=file
            )

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.child.poll() is None:
            self.child.send_signal(number)
        return self.child.wait(WITHIN_S)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    started: list[Process] = []

    def begin(settings: Settings, publish_only: bool = False) -> Process:
        started.append(Process(settings, tmp_path / "trainer.log", publish_only))
        return started[-1]

    yield begin
    for process in started:
        process.end(signal.SIGKILL)


def ask(settings: Settings, *requests: TrainingRequest | bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.broker.url)
    try:
        for one in requests:
            value, key, partition = one, None, 0
            if isinstance(one, TrainingRequest):
                value, key, partition = one.model_dump_json().encode(), one.machine_id.encode(), one.source.partition
            producer.send(settings.topics.training.name, value, key=key, partition=partition).get(WITHIN_S)
    finally:
        producer.close()


def in_its_partition(settings: Settings, machine: str, offset: int = 199) -> TrainingRequest:
    return request(machine, offset=offset, partition=partition_of(machine, settings.broker.partitions))


def wait_for(settings: Settings, own: int, process: Process) -> list[tuple[int, ModelUpdate]]:
    deadline = time.monotonic() + WITHIN_S
    while True:
        found = on_topic(settings)
        if len({update.request_id + update.machine_id for _, update in found if update.request_id}) >= own:
            return found
        assert time.monotonic() < deadline, process.log.read_text()[-4000:]
        assert process.child.poll() is None, process.log.read_text()[-4000:]
        time.sleep(0.1)


def test_requests_on_a_broker_become_models_on_a_broker_and_a_broken_one_stops_nothing(
    on_broker: Settings, start: Any
) -> None:
    machines = ["a", "b", "c", "d"]
    ask(on_broker, b"not a request", *(in_its_partition(on_broker, machine) for machine in machines))
    process = start(on_broker)
    found = wait_for(on_broker, 4, process)
    assert process.end() == 0, process.log.read_text()[-4000:]
    for partition, update in found:
        assert partition in partitions_of(update, on_broker.broker.partitions)
    found = on_topic(on_broker)
    assert sorted(update.machine_id for _, update in found if update.rung == "own") == machines
    assert sorted(partition for partition, update in found if update.rung == "fleet") == [0, 1, 2, 3]


def test_a_trainer_killed_at_work_leaves_no_request_unanswered(on_broker: Settings, start: Any) -> None:
    machines = [f"well-{n}" for n in range(16)]
    ask(on_broker, *(in_its_partition(on_broker, machine) for machine in machines))
    first = start(on_broker)
    wait_for(on_broker, 1, first)
    first.end(signal.SIGKILL)
    second = start(on_broker)
    found = wait_for(on_broker, len(machines), second)
    assert second.end() == 0
    digests = {(update.machine_id, update.digest) for _, update in found if update.rung == "own"}
    assert len(digests) == len(machines)  # whatever was published twice was the same


async def test_a_registry_is_published_where_the_topic_lacks_it_and_nowhere_else(on_broker: Settings) -> None:
    registry = Registry(on_broker.registry)
    fill(registry, ["a", "b", "c"])
    fleet(registry)
    assert await publish_registry(on_broker, registry) == 4
    found = on_topic(on_broker)
    assert sorted(partition for partition, update in found if update.rung == "fleet") == [0, 1, 2, 3]
    own = {update.machine_id: partition for partition, update in found if update.rung == "own"}
    assert own == {machine: partition_of(machine, 4) for machine in "abc"}

    newer = entry(request("a", offset=900), minutes=30)
    registry.store(newer)
    fill(registry, ["d"])
    assert await publish_registry(on_broker, registry) == 1
    assert newer.update.digest not in {update.digest for _, update in on_topic(on_broker)}


def test_publish_only_publishes_and_ends(on_broker: Settings, start: Any) -> None:
    fill(Registry(on_broker.registry), ["a"])
    process = start(on_broker, publish_only=True)
    assert process.child.wait(WITHIN_S) == 0, process.log.read_text()[-4000:]
    assert [update.machine_id for _, update in on_topic(on_broker)] == ["a"]
