"""A registry that is full or away: nothing half-written is taken for a model, and the trainer goes on when it is back."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from schemas.errors import RegistryError
from schemas.training import ModelUpdate
from streams.registry import Registry
from streams.settings import RegistrySettings, Settings
from tests.chaos.conftest import MakeDisturbed
from tests.chaos.disturbed import spoke_too_often
from tests.chaos.gate import Gate
from tests.chaos.whole_topics import whole
from tests.processes import Process, wait_until
from tests.streams.trainer_parts import entry, request

_ROOM_KB = 64


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a few models; without the right to mount one, a directory that cannot be written."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_ROOM_KB}k", "tmpfs", str(place)]
    mounted = (
        shutil.which("mount") is not None and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    )
    if not mounted:
        place.chmod(0o500)
    try:
        yield place
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)
        place.chmod(0o700)


def make_room(disk: Path) -> None:
    """As somebody does who is called because the disk is full."""
    if os.path.ismount(disk):
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True, capture_output=True)
    disk.chmod(0o700)


def _fill(registry: Registry, stored: list[ModelUpdate]) -> None:
    for number in range(200):
        made = entry(request(f"well-{number}"))
        registry.store(made)
        stored.append(made.update)


def test_on_a_full_disk_nothing_half_written_is_taken_for_a_model(small_disk: Path) -> None:
    if not os.path.ismount(small_disk) and os.geteuid() == 0:
        pytest.skip("root writes where it has no right, and this one may not mount")
    registry = Registry(RegistrySettings(url=str(small_disk / "registry"), s3_endpoint=None))
    stored: list[ModelUpdate] = []
    with pytest.raises(RegistryError, match=r"cannot write .*disk"):
        _fill(registry, stored)
    assert [update.digest for update in registry.all_chosen()] == [
        one.digest for one in sorted(stored, key=lambda one: one.manifest)
    ]
    assert not list(small_disk.rglob(".*.*")), "what could not be finished is taken away"
    make_room(small_disk)
    again = entry(request(f"well-{len(stored)}"))
    registry.store(again)
    assert registry.update(again.update.manifest) == again.update


def test_a_trainer_waits_for_room_and_then_answers_every_request(
    kafka_url: str, make_disturbed: MakeDisturbed, small_disk: Path
) -> None:
    if not os.path.ismount(small_disk):
        pytest.skip("a full disk can only be had where one may be mounted")
    story = make_disturbed(
        kafka_url, {}, registry={"url": str(small_disk / "registry")}, trainer={"fleet_after_machines": 100}
    )
    _ask(story.settings, range(20))
    with story.running("trainer") as trainer:
        wait_until(lambda: "registry does not take it" in trainer.tail(100_000), 60.0, "complaint")
        assert "No space left on device" in trainer.tail(100_000)
        make_room(small_disk)
        _wait_for_models(story.settings, 20, trainer)
        assert spoke_too_often(trainer, 30.0) == []
        assert trainer.end() == 0, trainer.tail()


@pytest.mark.make_chaos
def test_a_trainer_goes_on_when_s3_is_back_and_then_answers_every_request(
    kafka_url: str, make_disturbed: MakeDisturbed, s3_endpoint: str, unique_prefix: str, whole_suite: bool
) -> None:
    boto3.client("s3", endpoint_url=s3_endpoint).create_bucket(Bucket=unique_prefix)
    port = urlsplit(s3_endpoint).port
    assert port is not None
    with Gate(port) as gate:
        registry = {"url": f"s3://{unique_prefix}/wells", "s3_endpoint": f"http://127.0.0.1:{gate.port}"}
        story = make_disturbed(kafka_url, {}, registry=registry, trainer={"fleet_after_machines": 100})
        topics = story.settings.topics
        with story.running("trainer") as trainer:
            _ask(story.settings, range(4))
            _wait_for_models(story.settings, 4, trainer)
            began_s = time.monotonic()
            with gate.shut():
                _ask(story.settings, range(4, 12))
                wait_until(lambda: "registry does not take it" in trainer.tail(100_000), 60.0, "complaint", trainer)
                time.sleep(60.0 if whole_suite else 5.0)  # that is the story
            assert trainer.running, trainer.tail()
            _wait_for_models(story.settings, 12, trainer)
            assert spoke_too_often(trainer, time.monotonic() - began_s) == []
            assert trainer.end() == 0, trainer.tail()
        assert gate.turned_away > 0
        published = [
            ModelUpdate.model_validate_json(record.value)
            for some in whole(story.settings, topics.models.name).values()
            for record in some
        ]
        stored = Registry(story.settings.registry)
        assert len({update.machine_id for update in published}) == 12
        assert all(stored.update(update.manifest) == update for update in published)


def _ask(settings: Settings, numbers: Iterable[int]) -> None:
    for number in numbers:
        home = number % settings.broker.partitions
        asked = request(f"well-{number}", partition=home).model_dump_json().encode()
        _send_to(settings.broker.url, settings.topics.training.name, home, f"well-{number}".encode(), asked)


def _wait_for_models(settings: Settings, count: int, trainer: Process) -> None:
    name = settings.topics.models.name
    wait_until(lambda: sum(map(len, whole(settings, name).values())) >= count, 90.0, "all models", trainer)


def _send_to(url: str, topic: str, partition: int, key: bytes, value: bytes) -> None:
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=url, acks="all")
    producer.send(topic, key=key, value=value, partition=partition).get(10)
    producer.close()
