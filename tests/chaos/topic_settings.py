"""Settings of topics on the broker, changed and looked at."""

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from streams.settings import Settings
from tests.processes import wait_until


def alter(settings: Settings, topic: str, name: str, value: str) -> None:
    """Change one setting of a topic, as somebody might by hand."""
    admin = KafkaAdminClient(bootstrap_servers=settings.broker.url)
    at_hand = getattr(settings.topics, topic).name
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, at_hand, {name: value})])
    admin.close()
    wait_until(lambda: shown(settings, at_hand, name) == value, what=f"{name} of {at_hand}")


def shown(settings: Settings, topic: str, name: str) -> str | None:
    """A setting as the broker shows it."""
    admin = KafkaAdminClient(bootstrap_servers=settings.broker.url)
    found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all")
    admin.close()
    value: str | None = found["topic"][topic][name]["value"]
    return value
