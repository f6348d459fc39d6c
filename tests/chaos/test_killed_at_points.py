"""Programs that are killed with -9 at each named point between their durable steps."""

import pytest

from tests.chaos import requests_answered, sink_points, worker_points
from tests.chaos.conftest import MadeAgain, MakeStory, Note, Prove


@pytest.mark.parametrize(
    ("command", "points", "undisturbed", "model_every"),
    [
        pytest.param("worker", worker_points.READING_POINTS, "sink", 5, id="worker between its durable steps"),
        pytest.param(
            "worker",
            worker_points.MODEL_POINTS,
            "sink",
            2,
            id="worker while it adopts a model",
            marks=pytest.mark.make_chaos,
        ),
        pytest.param("sink", sink_points.POINTS, "worker", 0, id="sink while it writes", marks=pytest.mark.make_chaos),
    ],
)
def test_a_program_killed_at_each_point_loses_and_alters_nothing(
    make_story: MakeStory,
    assert_proof: Prove,
    assert_made_again: MadeAgain,
    kills: int,
    command: str,
    points: dict[str, object],
    undisturbed: str,
    model_every: int,
) -> None:
    story = make_story()
    with story.running(undisturbed), story.fed(model_every=model_every):
        for point in [one for one in points for _ in range(kills)]:
            story.dies(command, point)
    story.finish()
    assert_proof(story)
    assert_made_again(story, 30)


@pytest.mark.make_chaos
def test_a_trainer_killed_while_it_answers(make_story: MakeStory, note: Note, kills: int) -> None:
    story = make_story()
    answered = requests_answered.send_and_kill(story, kills)
    note(f"{story.told()}; {answered}")
    assert answered.wrong == []
