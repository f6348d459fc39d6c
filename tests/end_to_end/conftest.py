"""What tests of whole programs are given."""

import shutil
from collections.abc import Iterator

import pytest

from streams.settings import Settings
from tests.parts import in_ci, only_embedded
from tests.topics_at_hand import AtHand, TopicsAtHand


@pytest.fixture(scope="session")
def best_broker_url(request: pytest.FixtureRequest) -> str:
    """Apache Kafka where there is one, else the embedded broker: for what follows topics and asks no more of a broker."""
    real = in_ci() or (not only_embedded() and shutil.which("java") and shutil.which("mvn"))
    return str(request.getfixturevalue("kafka_url" if real else "embedded_broker_url"))


@pytest.fixture
def at() -> Iterator[AtHand]:
    """Makes the topics of an installation, and lets go of them at the end."""
    made: list[TopicsAtHand] = []

    def make(settings: Settings) -> TopicsAtHand:
        made.append(TopicsAtHand(settings))
        return made[-1]

    yield make
    for one in made:
        one.close()
