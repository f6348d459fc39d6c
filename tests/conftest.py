"""Fixtures that all rooms share: parts, each started once and only when a test asks, and settings for a test."""

import gc
import logging
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from streams.parts.dynamodb_jars import DynamoJars
from streams.parts.embedded_aws import EmbeddedAws
from streams.parts.embedded_broker import EmbeddedBroker
from streams.parts.kafka_jars import KafkaJars
from streams.settings import Settings, load_settings
from tests.browser import open_page
from tests.parts import CHOICE_VARIABLE, running, running_real
from tests.secured_kafka import SecuredKafka

MakeSettings = Callable[..., Settings]

#: Variables that choose parts, not settings.
_KEPT = {CHOICE_VARIABLE, "WELLSENTRY_PARTS_DIR"}
#: Few, so that a topic is made quickly; more than one, so that machines do not meet by accident.
_PARTITIONS = 4

_MARKERS = {
    "kafka_url": "kafka",
    "own_kafka": "kafka",
    "secured_kafka": "kafka",
    "dynamodb_local_endpoint": "dynamodb_local",
}
_PARAMETERS = {"kafka": "kafka", "dynamodb-local": "dynamodb_local"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a real part, so that ``-m "not kafka"`` leaves it out."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in _MARKERS:
                item.add_marker(_MARKERS[fixture])
        for parameter in getattr(getattr(item, "callspec", None), "params", {}).values():
            if isinstance(parameter, str) and parameter in _PARAMETERS:
                item.add_marker(_PARAMETERS[parameter])


@pytest.fixture(autouse=True)
def _settings_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the settings of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("WELLSENTRY_") and name not in _KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("WELLSENTRY_CONFIG", str(tmp_path / "no-settings.toml"))


@pytest.fixture(autouse=True)
def _logs_go_where_they_went() -> Iterator[None]:
    """A command that a test runs in this process chooses where logs go: not those of the tests after it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


# -- brokers


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Nothing that is kept by a cycle goes away."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def embedded_broker_url() -> Iterator[str]:
    """The broker out of the wheel."""
    for part in running(EmbeddedBroker()):
        yield part.url


@pytest.fixture(scope="session")
def kafka_url() -> Iterator[str]:
    """Apache Kafka."""
    for part in running_real(KafkaJars()):
        yield part.url


@pytest.fixture
def own_kafka() -> Iterator[KafkaJars]:
    """An Apache Kafka for one test alone, which may restart it."""
    kafka = KafkaJars()
    for _ in running_real(kafka):
        yield kafka


@pytest.fixture(scope="session")
def secured_kafka() -> Iterator[SecuredKafka]:
    """Apache Kafka that demands TLS, users and rights."""
    kafka = SecuredKafka()
    for _ in running_real(kafka):
        yield kafka


@pytest.fixture(params=["embedded", "kafka"])
def any_broker_url(request: pytest.FixtureRequest) -> str:
    """Both brokers, one after the other."""
    name = "kafka_url" if request.param == "kafka" else "embedded_broker_url"
    return str(request.getfixturevalue(name))


# -- DynamoDB and S3


@pytest.fixture(scope="session")
def embedded_aws_url() -> Iterator[str]:
    """DynamoDB and S3 out of a wheel."""
    for part in running(EmbeddedAws()):
        yield part.url


@pytest.fixture(scope="session")
def dynamodb_local_endpoint() -> Iterator[str]:
    """DynamoDB Local."""
    for part in running_real(DynamoJars()):
        yield part.url


@pytest.fixture(params=["moto", "dynamodb-local"])
def dynamodb_endpoint(request: pytest.FixtureRequest) -> str:
    """Both DynamoDBs, one after the other."""
    name = "dynamodb_local_endpoint" if request.param == "dynamodb-local" else "embedded_aws_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def s3_endpoint(embedded_aws_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An S3, with credentials for it in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return embedded_aws_url


# -- browser


@pytest.fixture
def page() -> Iterator[Page]:
    """A page in headless Chromium that fails the test if a script fails, or if it asks anything of another machine."""
    yield from open_page()


# -- settings


@pytest.fixture
def unique_prefix() -> str:
    """Before the names of topics and tables, so that tests that share a part do not meet."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def make_settings(unique_prefix: str, tmp_path: Path) -> MakeSettings:
    """Settings for one test: ``make_settings(kafka_url, dynamodb_endpoint, worker={"stacks": ("load", "flow")})``.

    Topics, consumer groups, table and registry are the test's own.
    """

    def make(broker_url: str | None = None, dynamodb_url: str | None = None, **sections: dict[str, Any]) -> Settings:
        chosen: dict[str, dict[str, Any]] = {
            "broker": {"topic_prefix": unique_prefix, "partitions": _PARTITIONS},
            "worker": {"app_id": f"{unique_prefix}-worker", "changelog_interval_s": 0.5},
            "trainer": {"app_id": f"{unique_prefix}-trainer"},
            "sink": {"app_id": f"{unique_prefix}-sink"},
            "notifier": {"app_id": f"{unique_prefix}-notifier"},
            "registry": {"url": str(tmp_path / "registry")},
            "dynamodb": {
                "table": f"{unique_prefix}-labels",
                "access_key_id": "local",
                "secret_access_key": "local",
            },
        }
        if broker_url is not None:
            chosen["broker"]["url"] = broker_url
        if dynamodb_url is not None:
            chosen["dynamodb"]["endpoint"] = dynamodb_url
        for name, section in sections.items():
            chosen[name] = chosen.get(name, {}) | section
        return load_settings(**chosen)

    return make
