"""Labels of a run with kills, refits, late readings and fleet models, chosen at random: made again to the letter."""

import pytest

from tests.chaos import worker_points
from tests.chaos.conftest import MadeAgain, MakeStory, Prove

_LABELS = 1_000


@pytest.mark.make_chaos
def test_a_thousand_labels_chosen_at_random_are_made_again(
    make_story: MakeStory, assert_proof: Prove, assert_made_again: MadeAgain, kills: int
) -> None:
    story = make_story(trainer={"fleet_after_machines": 3})
    with story.running("sink"), story.fed(every_s=0.1, model_every=20):
        for _ in range(kills):
            with story.running("trainer") as trainer:
                for point in worker_points.READING_POINTS:
                    story.dies("worker", point)
                story.killed("trainer", trainer, set())
    with story.running("trainer"):
        story.finish()
    assert_proof(story)
    assert_made_again(story, _LABELS)
