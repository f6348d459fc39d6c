"""A handler beside the other programs: the registry's models, the worker's topic and the sink's table."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from models.engine.engine import Engine
from models.engine.labels import Stamp
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from schemas.events import read_event
from schemas.labels import Label
from schemas.times import iso
from schemas.training import Activation
from streams.handler import QuerySource, TopicSource
from streams.handler.keeping import keep_in
from streams.handler.models_in_force import registry_models
from streams.handler.serving import answer
from streams.label_store import LabelStore
from streams.partitions import partition_of
from streams.registry import Registry
from streams.settings import RegistrySettings, Settings
from streams.worker.alone import Alone
from streams.worker.limits import Limits
from tests.conftest import MakeSettings
from tests.streams.handler_parts import LOAD, MINUTE_MS, START_MS, Kept, LoadByTag, columns, event, well, world
from tests.streams.trainer_parts import BUILD, NOW, entry, request
from tests.topics_at_hand import TopicsAtHand


def a_model(machine: str = "well-7", offset: int = 199) -> Any:
    return entry(request(machine, offset=offset))


def a_fleet_s_model() -> Any:
    made = a_model()
    update = made.update.model_copy(
        update={"machine_id": "*", "rung": "fleet", "manifest": made.update.manifest.replace("well-7", "%2A")}
    )
    manifest = made.manifest.model_copy(update={"machine_id": "*", "rung": "fleet"})
    return type(made)(manifest, update, made.training, made.forests)


# -- the registry


@pytest.fixture(params=["directory", "s3"])
def registry(request: pytest.FixtureRequest, make_settings: MakeSettings) -> RegistrySettings:
    if request.param == "directory":
        return make_settings().registry
    endpoint, bucket = request.getfixturevalue("s3_endpoint"), f"models-{uuid.uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=bucket)
    return RegistrySettings(url=f"s3://{bucket}/wells", s3_endpoint=endpoint)


def test_the_registry_s_model_of_the_machine_judges_else_the_fleet_s_else_none(registry: RegistrySettings) -> None:
    rows = well(90)
    outside = world(QuerySource(lambda _: columns(rows)), find_model=registry_models(registry))
    assert answer(LoadByTag, outside, event(90))["model_rung"] is None
    Registry(registry).store(a_fleet_s_model())
    assert answer(LoadByTag, outside, event(90))["model_rung"] == "fleet"
    Registry(registry).store(a_model(offset=199))
    newest = entry(request(offset=399), minutes=5)
    Registry(registry).store(newest)
    said = answer(LoadByTag, outside, event(90))
    assert (said["model_rung"], said["model_digest"]) == ("own", newest.update.digest)
    assert 1 in said["labels"]
    older = a_model().update
    went_back = {"by": "ada", "why": "worse", "at": NOW + timedelta(minutes=9), "pinned": False, "replaces": None}
    back = Activation.model_validate({"digest": older.digest, "manifest": older.manifest, **went_back})
    Registry(registry).activate("acme", "well-7", "load", back)
    assert answer(LoadByTag, outside, event(90))["model_digest"] == older.digest, "somebody went back to it"


def test_a_model_for_an_older_form_of_the_stack_is_left_aside(make_settings: MakeSettings) -> None:
    settings = make_settings().registry
    Registry(settings).store(entry(request(features=2)))
    outside = world(QuerySource(lambda _: columns(well(60))), find_model=registry_models(settings))
    assert answer(LoadByTag, outside, event(60))["model_digest"] is None


# -- the worker's topic


@pytest.fixture
def topics(any_broker_url: str, make_settings: MakeSettings) -> Iterator[TopicsAtHand]:
    at = TopicsAtHand(make_settings(any_broker_url))
    yield at
    at.close()


def a_well_s_messages() -> list[dict[str, Any]]:
    """Wide and by tag, in two units, one late, one bad, one that is no reading, and another machine's between them."""
    made: list[dict[str, Any]] = []
    for at, (time_ms, casing, tubing) in enumerate(well(200, jump_at=150)):
        one = {"client_id": "acme", "machine_id": "well-7", "time": iso(time_ms)}
        if at % 20 == 7:
            made += [
                {**one, "tag": "Casing Pressure", "value": casing},
                {**one, "tag": "tubing_pressure", "value": tubing},
            ]
        elif at % 20 == 9:
            made.append(
                {**one, "casing_pressure": casing * 6.894757, "tubing_pressure": tubing * 6.894757, "unit": "kPa"}
            )
        else:
            made.append({**one, "casing_pressure": casing, "tubing_pressure": tubing})
        made.append({**one, "client_id": "other", "casing_pressure": 1.0, "tubing_pressure": 2.0})
    made[40]["quality"] = "bad"
    made[60]["time"] = "soon"
    late = next(at for at, one in enumerate(made[100:], 100) if one["client_id"] == "acme" and "tag" not in one)
    made.insert(late + 30, made.pop(late))
    return made


def by_worker(settings: Settings, records: list[Any], machine: str, model: Any) -> list[Label]:
    """The labels of a worker that takes up the model before the first reading."""
    partition = partition_of(machine, settings.broker.partitions)
    engine = Engine(Machines(choose_stacks(["load"]), EngineSettings()), partition)
    engine.adopt(model, 0)
    stamp = Stamp(settings.topics.readings.name, BUILD.version, BUILD.git_commit)
    alone = Alone(engine, stamp, Limits(65_536, 100))
    alone.judge([record for record in records if record.partition == partition])
    labels = [Label.model_validate_json(value) for _, value in alone.take_output().labels]
    return [label for label in labels if label.client_id == "acme"]


def test_of_a_stretch_of_the_topic_it_says_what_the_worker_says_to_the_letter(topics: TopicsAtHand) -> None:
    settings, made = topics.settings, a_model()
    Registry(settings.registry).store(made)
    sent = topics.feed(a_well_s_messages())
    reader = topics.reader(topics.topics.readings.name)
    while len(reader.more()) < sent:
        pass
    kept = Kept()
    find = registry_models(settings.registry)
    said = answer(LOAD, world(TopicSource(settings), kept, find), event(200))
    ours = [Label.model_validate(label, from_attributes=True) for label in kept.labels]
    theirs = by_worker(settings, reader.records, "well-7", made.update)
    assert len(said["labels"]) == 199, "each minute but the one whose time is none"
    assert {label.label for label in ours} == {"normal", "unscored"}
    assert any(label.revision for label in ours)
    assert ours == theirs
    later = answer(LOAD, world(TopicSource(settings), kept, find), event(100))
    assert later["times"][-1] == iso(START_MS + 99 * MINUTE_MS)
    nobody = answer(LOAD, world(TopicSource(settings), kept, find), event(200, machine_id="well-8"))
    assert nobody["status"] == "no_data"


# -- the sink's table


@pytest.fixture
def store(dynamodb_endpoint: str, make_settings: MakeSettings) -> Iterator[LabelStore]:
    with LabelStore(make_settings(None, dynamodb_endpoint).dynamodb, now_s=lambda: START_MS / 1000) as store:
        store.ensure_table()
        yield store


def test_labels_are_written_once_however_often_an_event_comes_and_however_looks_overlap(store: LabelStore) -> None:
    rows = well(300)
    outside = world(QuerySource(lambda _: columns(rows)), keep_in(store))
    written = [answer(LoadByTag, outside, event(minutes))["written"] for minutes in (120, 120, 180, 150)]
    assert written == [120, 0, 60, 0]
    first = list(store.rows_of("acme", "well-7"))
    assert len(first) == 180
    # The same again, begun later: its first labels would be others, and none of them is taken.
    begun_later = world(QuerySource(lambda _: columns(rows[100:])), keep_in(store))
    assert answer(LoadByTag, begun_later, event(180))["written"] == 0
    assert list(store.rows_of("acme", "well-7")) == first
    kept = Kept()
    answer(LoadByTag, world(QuerySource(lambda _: columns(rows)), kept), event(180))
    assert {row.label_id: (row.value, row.label, row.surprise) for row in first} == {
        label.label_id: (label.value, label.label, label.surprise) for label in kept.labels
    }


def test_what_a_call_that_was_cut_off_left_out_the_next_one_writes(store: LabelStore) -> None:
    kept, keep = Kept(), keep_in(store)
    source = QuerySource(lambda _: columns(well(200)))
    job = LoadByTag(read_event(event(200)), world(source, kept))
    job.run()
    assert keep(job.query, kept.labels[120:]) == 80  # items go out side by side: the older ones were not put
    assert answer(LoadByTag, world(source, keep), event(200))["written"] == 120
    assert len(list(store.rows_of("acme", "well-7"))) == 200


def test_an_output_goes_into_a_table_of_one_s_own(embedded_aws_url: str, unique_prefix: str) -> None:
    output = LoadByTag(read_event(event(60)), world(QuerySource(lambda _: columns(well(60))))).run()
    resource = boto3.resource(
        "dynamodb", endpoint_url=embedded_aws_url, region_name="us-east-1",
        aws_access_key_id="local", aws_secret_access_key="local",
    )  # fmt: skip
    table = resource.create_table(
        TableName=f"{unique_prefix}-outputs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "machine_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "machine_id", "KeyType": "HASH"}],
    )
    table.put_item(Item=output.item())
    back = table.get_item(Key={"machine_id": "well-7"})["Item"]
    assert type(output).model_validate(back) == output
    resource.meta.client.close()
