"""What older releases wrote is read by this one, and what a newer one may add disturbs no reader."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from models.engine.layout import VERSION
from schemas.errors import StateError
from schemas.incidents import Incident
from schemas.labels import Label
from schemas.manifest import Manifest
from schemas.rejected import Rejected
from schemas.status import Status
from schemas.training import ModelUpdate, TrainingRequest
from streams.label_store.rows import decode_label, letters
from streams.worker.adoption import read_updates
from tools.sample_release import Record, new_partition, readings

SAMPLES = Path(__file__).parent.parent / "samples"
RELEASES = sorted(one.name for one in SAMPLES.iterdir())
SCHEMAS: dict[str, type[BaseModel]] = {
    "labels": Label,
    "incidents": Incident,
    "status": Status,
    "rejected": Rejected,
    "training": TrainingRequest,
    "models": ModelUpdate,
    "manifest": Manifest,
}


def lines(release: str, name: str) -> list[bytes]:
    found = (SAMPLES / release / f"{name}.jsonl").read_bytes().splitlines()
    assert found, "a sample is not empty"
    return found


def test_there_is_a_sample() -> None:
    assert RELEASES, "write one: python tools/sample_release.py"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", SCHEMAS)
def test_what_a_release_wrote_says_the_same_to_this_one(release: str, name: str) -> None:
    for line in lines(release, name):
        read = SCHEMAS[name].model_validate_json(line)
        assert json.loads(line).items() <= json.loads(read.model_dump_json()).items()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_field_that_a_newer_release_adds_is_passed_over(release: str, name: str) -> None:
    for line in lines(release, name):
        newer = {**json.loads(line), "added_later": {"by": ["a", "newer", "release"]}}
        assert SCHEMAS[name].model_validate(newer) == SCHEMAS[name].model_validate_json(line)


@pytest.mark.parametrize("release", RELEASES)
def test_the_sink_takes_labels_of_older_and_newer_releases(release: str) -> None:
    for line in lines(release, "labels"):
        newer = json.dumps({**json.loads(line), "added_later": 1}).encode()
        assert letters(decode_label(newer)) == letters(decode_label(line))


@pytest.mark.parametrize("release", RELEASES)
def test_the_worker_adopts_models_of_older_releases(release: str) -> None:
    for line in lines(release, "models"):
        update = ModelUpdate.model_validate_json(line)
        record: Any = type("Record", (), {"key": update.key, "value": line, "topic": "m", "partition": 0, "offset": 0})
        assert read_updates([record]) == [update]


@pytest.mark.parametrize("release", RELEASES)
def test_state_of_a_release_goes_on_to_the_letter_or_is_refused_with_its_layout(release: str) -> None:
    (line,) = lines(release, "state")
    sample = json.loads(line)
    partition = new_partition(release)
    records = [[base64.b64decode(part) for part in record] for record in sample["records"]]
    if sample["layout"] != VERSION:
        with pytest.raises(StateError, match=f"layout {sample['layout']:02x}.* reads {VERSION:02x}"):
            _restore(partition, records)
        return
    _restore(partition, records)
    start = sample["next_offset"]
    partition.judge([Record(start + number, body) for number, body in enumerate(readings(290, 5))])
    made = [value.decode() for _, value in partition.take_output().labels if value]
    assert made == sample["labels"]


def _restore(partition: Any, records: list[list[bytes]]) -> None:
    for key, value in records:
        partition.engine.restore(key, value)
    partition.engine.finish_restore()


def test_state_of_another_layout_is_refused_with_a_sentence() -> None:
    (line,) = lines(RELEASES[-1], "state")
    key, value = (base64.b64decode(part) for part in json.loads(line)["records"][-1])
    for other in (VERSION - 1, VERSION + 1):
        with pytest.raises(StateError, match=f"reads {VERSION:02x}"):
            new_partition("0").engine.restore(key, bytes((other,)) + value[1:])
