"""Creating the declared topics, and finding out where a broker differs from the declarations."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from schemas.errors import BrokerError
from schemas.topics import TopicDeclaration
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
    url = settings.broker.url
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=url.split(","), request_timeout_ms=_TIMEOUT_MS, bootstrap_timeout_ms=_TIMEOUT_MS
        )
    except KafkaError as error:
        raise BrokerError(f"no Kafka answers at {url} ({error!r}); start one, or name another with --broker") from error
    try:
        yield admin
    except KafkaError as error:
        raise BrokerError(f"Kafka at {url} refused: {error}") from error
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
        _wait_until_shown(admin, created)
    return created


def _wait_until_shown(admin: KafkaAdminClient, names: Sequence[str]) -> None:
    """The controller creates, the brokers learn of it a moment later: a program started at once would miss its topics."""
    deadline = time.monotonic() + _TIMEOUT_MS / 1000
    while missing := set(names) - {one["name"] for one in admin.describe_topics()}:
        if time.monotonic() > deadline:
            raise BrokerError(
                f"topics were created, and the broker does not show them yet: {', '.join(sorted(missing))}"
            )
        time.sleep(_LOOK_EVERY_S)


def check_topics(settings: Settings) -> list[Difference]:
    """Where the broker differs from the declarations; none is well.

    A broker that shows no settings of its topics at all (the embedded one) is only asked for names and partitions.
    """
    with _admin(settings) as admin:
        partitions = {one["name"]: len(one["partitions"]) for one in admin.describe_topics()}
        present = [topic for topic in settings.topics if topic.name in partitions]
        configs = _configs(admin, [topic.name for topic in present]) if present else {}
    found = []
    for topic in settings.topics:
        if topic.name not in partitions:
            found.append(Difference(topic.name, "topic", "there", "missing", "run `wellsentry topics create`"))
            continue
        if partitions[topic.name] != settings.broker.partitions:
            found.append(
                Difference(
                    topic.name,
                    "partitions",
                    str(settings.broker.partitions),
                    str(partitions[topic.name]),
                    "set broker.partitions to what all topics have, or create them anew under another prefix: "
                    "a machine's topics must meet in one worker",
                )
            )
        has = configs.get(topic.name, {})
        found += [
            _differs(topic, name, declared, has[name], settings.broker.url)
            for name, declared in topic.config().items()
            if has.get(name) not in (None, declared)
        ]
    return found


def require_topics(settings: Settings) -> None:
    """Raise :class:`BrokerError` where a topic is such that running on it would lose something or mix machines up.

    It names each such topic, what it is, what it must be, and the commands. What is only unusual, a longer retention say, is
    left to ``wellsentry doctor``.
    """
    wrong = [one for one in check_topics(settings) if one.forbids_start]
    if wrong:
        told = "; ".join(f"{one.topic}: {one.what} is {one.found}, must be {one.declared}" for one in wrong)
        remedies = "; ".join(dict.fromkeys(one.remedy for one in wrong))
        raise BrokerError(f"{told}. What to do: {remedies}.")


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
    described = admin.describe_configs(
        asked, config_filter="all"
    )  # what nobody set is the broker's default, and counts
    answers = described.get("topic", described) if isinstance(described, dict) else {}
    return {
        name: {key: value["value"] if isinstance(value, dict) else value for key, value in entries.items()}
        for name, entries in answers.items()
    }
