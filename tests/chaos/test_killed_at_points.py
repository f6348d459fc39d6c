"""Programs that are killed with -9 at each named point between their durable steps."""

import pytest

from tests.chaos import requests_answered, sink_points, worker_points
from tests.chaos.conftest import MakeStory, Note, Prove


def test_a_worker_killed_between_its_durable_steps(make_story: MakeStory, assert_proof: Prove, kills: int) -> None:
    story = make_story()
    with story.running("sink"), story.fed(model_every=5):
        for point in [one for one in worker_points.READING_POINTS for _ in range(kills)]:
            story.dies("worker", point)
    story.finish()
    assert_proof(story)


@pytest.mark.make_chaos
def test_a_worker_killed_while_it_adopts_a_model(make_story: MakeStory, assert_proof: Prove, kills: int) -> None:
    story = make_story()
    with story.running("sink"), story.fed(model_every=2):
        for point in [one for one in worker_points.MODEL_POINTS for _ in range(kills)]:
            story.dies("worker", point)
    story.finish()
    assert_proof(story)


@pytest.mark.make_chaos
def test_a_sink_killed_while_it_writes(make_story: MakeStory, assert_proof: Prove, kills: int) -> None:
    story = make_story()
    with story.running("worker"), story.fed():
        for point in [one for one in sink_points.POINTS for _ in range(kills)]:
            story.dies("sink", point)
    story.finish()
    assert_proof(story)


@pytest.mark.make_chaos
def test_a_trainer_killed_while_it_answers(make_story: MakeStory, note: Note, kills: int) -> None:
    story = make_story()
    answered = requests_answered.send_and_kill(story, kills)
    note(f"{story.told()}; {answered}")
    assert answered.wrong == []
