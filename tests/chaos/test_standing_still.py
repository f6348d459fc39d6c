"""A worker that stands still for longer than its session lasts, and wakes when another has taken its partitions over."""

import pytest

from tests.chaos.conftest import MakeStory, Prove
from tests.chaos.story import Story
from tests.chaos.whole_topics import committed, ends
from tests.chaos.worker_points import MODEL_POINTS, READING_POINTS
from tests.processes import wait_until


@pytest.mark.make_chaos
@pytest.mark.parametrize(
    ("points", "model_every"),
    [
        pytest.param([*READING_POINTS], 5, id="between its durable steps"),
        pytest.param([*MODEL_POINTS], 2, id="while it adopts a model"),
        pytest.param([None, None], 5, id="at random moments"),
    ],
)
def test_a_worker_that_wakes_behind_its_successor_writes_nothing_any_more(
    make_story: MakeStory, assert_proof: Prove, kills: int, points: list[str | None], model_every: int
) -> None:
    story = make_story()
    with story.running("sink"), story.fed(model_every=model_every), story.running("worker") as other:
        wait_until(lambda: other.has_said("ready"), what="a worker", process=other)
        for point in [one for one in points for _ in range(kills)]:
            with story.standing_still(point):
                _wait_until_taken_over(story)
        assert other.end() == 0, other.tail()
    story.finish()
    assert_proof(story)


def _wait_until_taken_over(story: Story) -> None:
    """The other worker has judged and committed, of every partition, what is there by now."""
    readings = story.settings.topics.readings.name
    there = ends(story.settings, readings)
    wait_until(
        lambda: all(
            offset >= there[number]
            for number, offset in committed(story.settings, story.group("worker"), readings).items()
        ),
        what="a successor's work",
    )
