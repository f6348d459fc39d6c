"""Programs that are killed with -9 at each named point between their durable steps."""

from tests.chaos.conftest import MakeStory, Prove
from tests.chaos.worker_points import READING_POINTS


def test_a_worker_killed_between_its_durable_steps(make_story: MakeStory, assert_proof: Prove, kills: int) -> None:
    story = make_story()
    with story.running("sink"), story.fed(model_every=7):
        for point in [one for one in READING_POINTS for _ in range(kills)]:
            story.dies("worker", point)
    story.finish()
    assert_proof(story)
