"""Topics not as declared: a program refuses to start, and says which one, what it is, what it must be, what to do."""

import json
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from schemas.errors import BrokerError
from streams.access.rights import rights
from streams.doctor import examine
from streams.settings import Settings
from streams.topics_admin import require_topics
from tests.chaos.conftest import MakeStory
from tests.chaos.story import Story
from tests.chaos.topic_settings import alter
from tests.chaos.whole_topics import committed, ends, whole
from tests.conftest import MakeSettings
from tests.processes import running, wait_until

DAY_MS = 86_400_000
_LABELLED = ("readings", "labels", "rejected")


def create(settings: Settings, partitions: dict[str, int] | None = None, missing: str = "") -> None:
    """The topics as ``wellsentry topics create`` makes them, but for ``missing`` and those with other ``partitions``."""
    chosen = partitions or {}
    topics = settings.topics
    admin = KafkaAdminClient(bootstrap_servers=settings.broker.url)
    new = [
        NewTopic(one.name, chosen.get(name, settings.broker.partitions), 1, topic_configs=one.config())
        for name in topics.__slots__
        if name != missing and (one := getattr(topics, name))
    ]
    admin.create_topics(new)
    wait_until(lambda: {one.name for one in new} <= {one["name"] for one in admin.describe_topics()}, what="topics")
    admin.close()


def add_partitions(settings: Settings, topic: str, count: int) -> None:
    """Give a topic more partitions while it is in use."""
    admin = KafkaAdminClient(bootstrap_servers=settings.broker.url)
    admin.create_partitions({getattr(settings.topics, topic).name: count})
    admin.close()


@pytest.mark.parametrize("topic", ["readings", "changelog", "models", "labels"])
def test_a_topic_with_other_partitions_is_named_with_both_numbers(
    kafka_url: str, make_settings: MakeSettings, topic: str
) -> None:
    settings = make_settings(kafka_url)
    create(settings, {topic: 7})
    with pytest.raises(BrokerError) as refused:
        require_topics(settings, rights(settings)["worker"])
    name = getattr(settings.topics, topic).name
    assert f"{name}: partitions is 7, must be 4" in str(refused.value)
    assert "broker.partitions" in str(refused.value)


def test_a_topic_that_is_missing_is_named_with_the_command(kafka_url: str, make_settings: MakeSettings) -> None:
    settings = make_settings(kafka_url)
    create(settings, missing="training")
    with pytest.raises(BrokerError) as refused:
        require_topics(settings, rights(settings)["worker"])
    assert f"{settings.topics.training.name}: topic is missing" in str(refused.value)
    assert "wellsentry topics create" in str(refused.value)


WRONG = [
    ("changelog", "cleanup.policy", "delete", "compact"),
    ("changelog", "cleanup.policy", "compact,delete", "compact"),
    ("models", "cleanup.policy", "delete", "compact"),
    ("labels", "cleanup.policy", "compact", "delete"),
    ("readings", "cleanup.policy", "compact", "delete"),
    ("labels", "retention.ms", str(DAY_MS), str(30 * DAY_MS)),
    ("readings", "retention.ms", "60000", str(30 * DAY_MS)),
]


@pytest.mark.parametrize(("topic", "setting", "found", "declared"), WRONG)
def test_a_topic_with_the_wrong_policy_is_named_with_what_it_must_be_and_the_command(
    kafka_url: str, make_settings: MakeSettings, topic: str, setting: str, found: str, declared: str
) -> None:
    settings = make_settings(kafka_url)
    create(settings)
    alter(settings, topic, setting, found)
    with pytest.raises(BrokerError) as refused:
        require_topics(settings, rights(settings)["worker"])
    name = getattr(settings.topics, topic).name
    assert f"{name}: {setting} is {found}, must be {declared}" in str(refused.value)
    command = f"kafka-configs.sh --bootstrap-server {kafka_url} --alter --entity-type topics --entity-name {name}"
    assert f"{command} --add-config {setting}={declared}" in str(refused.value)
    assert [one.health for one in examine(settings) if one.check == "topics"] == ["fail"]
    alter(settings, topic, setting, declared)
    require_topics(settings, rights(settings)["worker"])


@pytest.mark.make_chaos
def test_partitions_that_are_added_while_programs_run_end_them_in_order_and_nothing_is_lost(
    make_story: MakeStory,
) -> None:
    story = make_story()
    settings = story.settings
    with story.fed(), story.running("worker") as worker, story.running("sink") as sink:
        wait_until(lambda: min(ends(settings, settings.topics.labels.name).values()) > 0, what="labels", process=worker)
        for program, topic in ((worker, "readings"), (sink, "labels")):
            add_partitions(settings, topic, settings.broker.partitions + 2)
            wait_until(lambda program=program: not program.running, what="its end")
            assert program.status == 1
            name = getattr(settings.topics, topic).name
            assert f"topic {name} has {settings.broker.partitions + 2} partitions by now" in program.tail()
            assert "Traceback" not in program.tail(1_000)
    with pytest.raises(BrokerError, match="partitions is 6, must be 4"):
        require_topics(settings, rights(settings)["worker"])
    _assert_all_that_is_committed_is_labelled_once(story)


def _assert_all_that_is_committed_is_labelled_once(story: Story) -> None:
    """Up to where the worker has come nothing is missing and nothing said twice: it ended in order."""
    settings, topics = story.settings, story.settings.topics
    done = committed(settings, story.group("worker"), topics.readings.name)
    readings, labels, rejected = (whole(settings, getattr(topics, name).name) for name in _LABELLED)
    for number in range(settings.broker.partitions):
        made = [json.loads(record.value) for record in labels[number]]
        places = [label["source_offset"] for label in made if not label["revision"]]
        assert len(places) == len(set(places))
        assert max(places, default=-1) < done[number]
        known = {*places, *(label["partner_offset"] for label in made)}
        known |= {json.loads(record.value)["source_offset"] for record in rejected[number]}
        missing = [r for r in readings[number] if r.offset < done[number] and r.offset not in known]
        assert len({record.key for record in missing}) == len(missing), "at most one of a machine is held, by tag"
        assert all(b'"tag"' in record.value for record in missing)


def test_a_changelog_made_by_hand_with_no_settings_is_not_taken(kafka_url: str, make_settings: MakeSettings) -> None:
    settings = make_settings(kafka_url)
    create(settings, missing="changelog")
    admin = KafkaAdminClient(bootstrap_servers=kafka_url)
    admin.create_topics([NewTopic(settings.topics.changelog.name, settings.broker.partitions, 1)])
    admin.close()
    wait_until(lambda: "changelog: cleanup.policy is delete, must be compact" in _refusal(settings), what="refusal")


def _refusal(settings: Settings) -> str:
    try:
        require_topics(settings, rights(settings)["worker"])
    except BrokerError as refused:
        return str(refused)
    return ""


def test_a_longer_retention_is_only_told_by_the_doctor(kafka_url: str, make_settings: MakeSettings) -> None:
    settings = make_settings(kafka_url)
    create(settings)
    alter(settings, "labels", "retention.ms", "-1")
    alter(settings, "readings", "retention.ms", str(90 * DAY_MS))
    require_topics(settings, rights(settings)["worker"])
    assert [one.health for one in examine(settings) if one.check == "topics"] == ["warn", "warn"]


@pytest.mark.parametrize(
    ("program", "topic", "found", "declared"),
    [
        ("worker", "changelog", "delete", "compact"),
        pytest.param("trainer", "models", "delete", "compact", marks=pytest.mark.make_chaos),
        pytest.param("sink", "labels", "compact", "delete", marks=pytest.mark.make_chaos),
    ],
)
def test_no_program_starts_on_topics_that_lose_something(
    kafka_url: str, make_settings: MakeSettings, tmp_path: Path, program: str, topic: str, found: str, declared: str
) -> None:
    settings = make_settings(kafka_url)
    create(settings)
    alter(settings, topic, "cleanup.policy", found)
    with running(program, settings, tmp_path) as process:
        wait_until(lambda: not process.running, what="its end")
        assert process.status not in (None, 0)
    assert f"cleanup.policy is {found}, must be {declared}" in process.tail()
