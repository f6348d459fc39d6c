"""The image for AWS Lambda holds all that a handler needs: its files and its lock are enough, with S3, DynamoDB and Kafka."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from schemas.times import iso
from streams.label_store import LabelStore
from streams.registry import Registry
from tests.conftest import MakeSettings
from tests.processes import variables
from tests.streams.handler_parts import event, well
from tests.streams.trainer_parts import entry
from tests.topics_at_hand import TopicsAtHand

ROOT: Final = Path(__file__).resolve().parents[2]
DOCKERFILE: Final = (ROOT / "Dockerfile.lambda").read_text()
COPIED: Final = [name for line in re.findall(r"(?m)^COPY (.*) \S+$", DOCKERFILE) for name in line.split()]

#: Run with only what the image has: answers events with the image's own handler, then with the topic's readings.
_IN_THE_IMAGE: Final = """
import json, sys

events, refused = json.loads(sys.argv[1])

class OnlyTheImage:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

sys.meta_path.insert(0, OnlyTheImage())
from streams.handler.entry import handler
from streams.handler import Query, TopicSource
from streams.settings import load_settings

for event in events:
    print(json.dumps(handler(event, None)))
print(json.dumps(len(TopicSource(load_settings()).load(Query("acme", "well-7", 0, 4_000_000_000_000, ())))))
print(json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] in {"schemas", "models", "streams"})))
"""


def not_in_the_image() -> list[str]:
    """Top-level modules of this environment that the image lacks."""
    locked = set(re.findall(r"(?m)^([a-z0-9-]+)==", (ROOT / "requirements-lambda.lock").read_text()))

    def is_locked(distribution: str) -> bool:
        return re.sub(r"[-_.]+", "-", distribution).lower() in locked

    foreign = {top for top, whose in packages_distributions().items() if not any(map(is_locked, whose))}
    own = {path.name for path in ROOT.iterdir() if path.is_dir()} - set(COPIED)
    return sorted((foreign | own) - {"schemas", "models", "streams"})


def test_every_file_that_is_copied_is_there_and_reaches_docker() -> None:
    kept = (ROOT / ".dockerignore").read_text()
    for name in COPIED:
        assert (ROOT / name).exists()
        assert f"!{name.split('/')[0]}\n" in kept
    assert subprocess.run(["sh", "-n", str(ROOT / "tools" / "lambda_start.sh")], check=False).returncode == 0


def test_the_image_s_handler_answers_with_nothing_but_its_files_and_its_lock(
    make_settings: MakeSettings, embedded_broker_url: str, s3_endpoint: str, tmp_path: Path
) -> None:
    bucket = f"models-{tmp_path.name[-20:].replace('_', '-').strip('-')}"
    boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1").create_bucket(Bucket=bucket)
    settings = make_settings(
        embedded_broker_url, s3_endpoint, registry={"url": f"s3://{bucket}/wells", "s3_endpoint": s3_endpoint},
        handler={"source": str(tmp_path)},
    )  # fmt: skip
    model = entry()
    Registry(settings.registry).store(model)
    rows = well(230)
    body = "\n".join(["time,Casing Pressure,Tubing Pressure", *(f"{iso(t)},{c},{p}" for t, c, p in rows)])
    for name in ("well-7", "well-8"):
        (tmp_path / f"{name}.csv").write_text(body)
    topics = TopicsAtHand(settings)
    topics.feed({"client_id": "acme", "machine_id": "well-7", "time": t, "casing_pressure": c} for t, c, _ in rows[:30])
    topics.close()
    with LabelStore(settings.dynamodb) as store:
        store.ensure_table()
        events = [event(230), event(230, machine_id="well-8"), {"client_id": "acme"}]
        *answers, read, imported = _answers(events, variables(settings))
        assert len(list(store.rows_of("acme", "well-7"))) == 230
    registered, fitted_itself, refused = answers
    assert (registered["model_digest"], registered["written"]) == (model.update.digest, 230)
    assert (fitted_itself["model_rung"], fitted_itself["written"]) == ("own", 230)
    assert refused["status"] == "bad_event"
    assert read == 30
    of_programs = [name for name in imported if name.split(".")[:2] in (["streams", "worker"], ["streams", "runs"])]
    assert set(of_programs) <= {"streams.runs", "streams.runs.batches", "streams.runs.run"}, "these read a topic"


def _answers(events: list[Any], environment: dict[str, str]) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-c", _IN_THE_IMAGE, json.dumps([events, not_in_the_image()])],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(done.stderr[-4_000:])
    return [json.loads(line) for line in done.stdout.splitlines()]
