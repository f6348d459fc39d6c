"""What tests of whole programs are given."""

from collections.abc import Iterator

import pytest

from streams.settings import Settings
from tests.topics_at_hand import AtHand, TopicsAtHand


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
