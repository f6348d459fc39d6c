"""Creating the declared topics, and finding out where a broker differs from the declarations."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from schemas.errors import BrokerError
from streams.settings import Settings

_TIMEOUT_MS = 8_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a topic is not as declared."""

    topic: str
    what: str
    declared: str
    found: str
    remedy: str

    def as_dict(self) -> dict[str, str]:
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
    """Create what is missing; the names of what was created. What exists is left as it is."""
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
    return created


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
        for name, declared in topic.config().items():
            has = configs.get(topic.name, {}).get(name)
            if has is not None and has != declared:
                remedy = f"kafka-configs --alter --topic {topic.name} --add-config {name}={declared}"
                found.append(Difference(topic.name, name, declared, has, remedy))
    return found


def require_topics(settings: Settings) -> None:
    """Raise :class:`BrokerError` where topics are missing or have another number of partitions than all others."""
    wrong = [one for one in check_topics(settings) if one.what in ("topic", "partitions")]
    if wrong:
        told = "; ".join(f"{one.topic}: {one.what} is {one.found}, declared {one.declared}" for one in wrong)
        raise BrokerError(f"{told}. {wrong[0].remedy[0].upper()}{wrong[0].remedy[1:]}.")


def _configs(admin: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    described = admin.describe_configs(asked)
    answers = described.get("topic", described) if isinstance(described, dict) else {}
    return {
        name: {key: value["value"] if isinstance(value, dict) else value for key, value in entries.items()}
        for name, entries in answers.items()
    }
