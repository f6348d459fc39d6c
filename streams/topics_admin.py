"""Creating the declared topics, and finding out where a broker differs from the declarations."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAlreadyExistsError

from schemas.errors import BrokerError
from schemas.topics import TopicDeclaration
from streams.access.broker import for_kafka_python
from streams.access.rights import Rights
from streams.access.why import cannot_connect, knock
from streams.settings import Settings

_TIMEOUT_MS = 8_000
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a topic is not as declared."""

    topic: str
    what: str
    declared: str
    found: str
    remedy: str
    forbids_start: bool = True  # or else it is only unusual

    def as_dict(self) -> dict[str, str | bool]:
        """For JSON."""
        return asdict(self)


@contextmanager
def _admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    knock(settings.broker, _TIMEOUT_MS / 1000)
    access = for_kafka_python(settings.broker)
    try:
        admin = KafkaAdminClient(**access, request_timeout_ms=_TIMEOUT_MS, bootstrap_timeout_ms=_TIMEOUT_MS)
    except (KafkaError, OSError) as error:
        raise cannot_connect(settings.broker, error) from error
    try:
        yield admin
    except KafkaError as error:
        raise BrokerError(f"Kafka at {settings.broker.url} refused: {error}") from error
    finally:
        admin.close()


def create_topics(settings: Settings) -> list[str]:
    """Create what is missing, and return when the broker shows it; the names of what was created.

    What exists is left as it is.
    """
    created = []
    with _admin(settings) as admin:
        for topic in settings.topics:
            new = NewTopic(
                topic.name, settings.broker.partitions, settings.broker.replication, topic_configs=topic.config()
            )
            try:
                admin.create_topics([new])
            except TopicAlreadyExistsError:
                continue
            created.append(topic.name)
        _wait_until_seen(admin, created)
    return created


def create_side_topic(settings: Settings, name: str, config: Mapping[str, str]) -> bool:
    """Create a topic that is none of the declared ones, unless it is there; whether it was made now."""
    with _admin(settings) as admin:
        if name in _partitions(admin):
            return False
        admin.create_topics(
            [NewTopic(name, settings.broker.partitions, settings.broker.replication, topic_configs=dict(config))]
        )
        _wait_until_seen(admin, [name])
    return True


def _wait_until_seen(admin: KafkaAdminClient, names: list[str]) -> None:
    """The controller makes topics; a moment later all brokers know of them, and a program started now finds them."""
    deadline = time.monotonic() + _TIMEOUT_MS / 1000
    while not set(names) <= _partitions(admin).keys() and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)


def check_topics(settings: Settings) -> list[Difference]:
    """Where the broker differs from the declarations; none is well.

    A broker that shows no settings of its topics at all (the embedded one) is only asked for names and partitions.
    """
    with _admin(settings) as admin:
        partitions = _partitions(admin)
        present = [topic for topic in settings.topics if topic.name in partitions]
        configs = _configs(admin, [topic.name for topic in present]) if present else {}
    found = _wrongly_made(settings.topics, partitions, settings.broker.partitions)
    return found + _unlike_declared(present, configs, settings.broker.url)


def require_topics(settings: Settings, needed: Rights) -> None:
    """Raise :class:`BrokerError` where a topic that is needed is missing, has other partitions, or we lack a right to it.

    Or is such that running on it would lose something; what is only unusual, a longer retention say, is left to the doctor.
    Said before anything starts: without its rights a client tries again for ever, and says nothing. No other topics are
    looked at: a program needs no right to what it does not use. Settings are looked at where it may see them.
    """
    with _admin(settings) as admin:
        found = admin.describe_topics()
        lacking = _lacking_in_topics(needed, found) + _lacking_in_groups(needed, admin)
        partitions = {one["name"]: len(one["partitions"]) for one in found}
        present = [topic for topic in needed.topics if topic.name in partitions]
        configs = _configs(admin, [topic.name for topic in present]) if present else {}
    wrong = _wrongly_made(needed.topics, partitions, settings.broker.partitions)
    wrong += [one for one in _unlike_declared(present, configs, settings.broker.url) if one.forbids_start]
    if wrong:
        told = "; ".join(f"{one.topic}: {one.what} is {one.found}, must be {one.declared}" for one in wrong)
        remedies = "; ".join(dict.fromkeys(one.remedy for one in wrong))
        raise BrokerError(f"{told}. What to do: {remedies}.")
    if lacking:
        who = settings.broker.user or "this program's user"
        raise BrokerError(
            f"{who} has no right to {'; to '.join(lacking)}. Give it the rights of its program: docs/security.md lists them."
        )


def _lacking_in_topics(needed: Rights, found: Sequence[Mapping[str, Any]]) -> list[str]:
    """What we may not do with topics; a broker that knows no rights says nothing of them."""
    allowed = {one["name"]: one["authorized_operations"] for one in found}
    wanted = [("READ", topic) for topic in needed.reads] + [("WRITE", topic) for topic in needed.writes]
    return [
        f"{operation.lower()} topic {topic.name}"
        for operation, topic in wanted
        if (may := allowed.get(topic.name)) is not None and operation not in may
    ]


def _lacking_in_groups(needed: Rights, admin: KafkaAdminClient) -> list[str]:
    lacking = []
    for group in filter(None, (needed.joins, *needed.looks_at)):
        try:
            admin.describe_groups([group])
        except GroupAuthorizationFailedError:
            lacking.append(f"use consumer group {group}")
        except (KafkaError, ValueError):
            continue  # a broker that has just begun has no groups yet, and the embedded one cannot tell
    return lacking


def _partitions(admin: KafkaAdminClient) -> dict[str, int]:
    """How many partitions each topic has that we may see."""
    return {one["name"]: len(one["partitions"]) for one in admin.describe_topics()}


def _wrongly_made(wanted: Iterable[TopicDeclaration], found: Mapping[str, int], partitions: int) -> list[Difference]:
    wrong = []
    for topic in wanted:
        if topic.name not in found:
            remedy = "run `wellsentry topics create`; if it is there, give this user the right to it (docs/security.md)"
            wrong.append(Difference(topic.name, "topic", "there", "missing", remedy))
        elif found[topic.name] != partitions:
            wrong.append(
                Difference(
                    topic.name,
                    "partitions",
                    str(partitions),
                    str(found[topic.name]),
                    "set broker.partitions to what all topics have, or create them anew under another prefix: "
                    "a machine's topics must meet in one worker",
                )
            )
    return wrong


def _unlike_declared(
    topics: Iterable[TopicDeclaration], configs: Mapping[str, Mapping[str, str | None]], url: str
) -> list[Difference]:
    """Where the settings of topics are not as declared."""
    return [
        _differs(topic, name, declared, has, url)
        for topic in topics
        for name, declared in topic.config().items()
        if (has := configs.get(topic.name, {}).get(name)) not in (None, declared)
    ]


def _differs(topic: TopicDeclaration, name: str, declared: str, has: str, url: str) -> Difference:
    # Compacted labels or readings lose all but the latest; a changelog that is not compacted loses what is old.
    shorter = name == "retention.ms" and topic.retention_ms is not None and 0 <= int(has) < topic.retention_ms
    loses = name == "cleanup.policy" or shorter
    remedy = (
        f"run `kafka-configs.sh --bootstrap-server {url} --alter --entity-type topics --entity-name {topic.name} "
        f"--add-config {name}={declared}`"
    )
    return Difference(topic.name, name, declared, has, remedy, forbids_start=loses)


def _configs(admin: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    try:
        # What nobody set is the broker's default, and counts.
        described = admin.describe_configs(asked, config_filter="all")
    except KafkaError:
        return {}  # a program may run without the right to see them; the doctor, who has it, compares
    answers = described.get("topic", described) if isinstance(described, dict) else {}
    return {
        name: {key: value["value"] if isinstance(value, dict) else value for key, value in entries.items()}
        for name, entries in answers.items()
    }
