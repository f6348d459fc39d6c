"""Programs that are killed at random moments, drained, and that join and leave each other."""

import time

import pytest

from tests.chaos.conftest import MakeStory, Prove
from tests.chaos.story import Story
from tests.chaos.whole_topics import committed, whole
from tests.processes import wait_until


@pytest.mark.make_chaos
def test_all_three_killed_at_random_moments(make_story: MakeStory, assert_proof: Prove, kills: int) -> None:
    story = make_story(trainer={"fleet_after_machines": 3})
    programs = [one for one in ("worker", "trainer", "sink") for _ in range(kills)]
    story.random.shuffle(programs)
    with story.fed():
        for victim in programs:
            _run_and_kill(story, victim)
    story.finish()
    assert_proof(story)


def _run_and_kill(story: Story, victim: str) -> None:
    """All three run; one of them is killed after a while that the seed chooses."""
    with story.running("worker") as worker, story.running("trainer") as trainer, story.running("sink") as sink:
        processes = {"worker": worker, "trainer": trainer, "sink": sink}
        wait_until(lambda: worker.has_said("ready"), what="a worker that is ready", process=worker)
        time.sleep(story.random.uniform(0.0, 3.0))  # the moment is the story's, not a guess
        story.killed(victim, processes[victim], set())


@pytest.mark.make_chaos
def test_a_worker_that_is_told_to_end_leaves_nothing_to_repeat(
    make_story: MakeStory, assert_proof: Prove, kills: int
) -> None:
    story = make_story()
    topics = story.settings.topics
    with story.running("sink"), story.fed(model_every=5):
        for _ in range(max(2, kills)):
            with story.running("worker") as worker:
                before = _labels(story)
                wait_until(lambda before=before: _labels(story) > before, what="labels", process=worker)
                time.sleep(story.random.uniform(0.0, 1.0))
                assert worker.end() == 0, worker.tail()
            story.drained += 1
            done = committed(story.settings, story.group("worker"), topics.readings.name)
            _assert_all_labelled_is_committed(story, done)
    story.finish()
    labels = [
        record.value.split(b'"', 4)[3] for some in whole(story.settings, topics.labels.name).values() for record in some
    ]
    assert len(labels) == len(set(labels)), "nothing is repeated"
    assert_proof(story)


def _labels(story: Story) -> int:
    """How many there are. Where the topic ends is no measure: the marker of a claim takes an offset too."""
    return sum(map(len, whole(story.settings, story.settings.topics.labels.name).values()))


def _assert_all_labelled_is_committed(story: Story, done: dict[int, int]) -> None:
    for number, records in whole(story.settings, story.settings.topics.labels.name).items():
        newest = max((int(record.value.split(b'"', 4)[3].split(b"-")[2]) for record in records), default=-1)
        assert newest < done[number], f"partition {number}: label of {newest}, committed to {done[number]}"


@pytest.mark.make_chaos
def test_two_workers_that_join_and_leave_all_the_time(make_story: MakeStory, assert_proof: Prove, kills: int) -> None:
    # Faust has an eager assignor alone: each coming and going takes all partitions from both.
    story = make_story()
    with story.running("sink"), story.fed(model_every=5), story.running("worker") as first:
        for _ in range(max(2, kills)):
            with story.running("worker") as second:
                wait_until(lambda second=second: second.has_said("ready"), what="two", process=second)
                time.sleep(story.random.uniform(0.0, 2.0))
                assert second.end() == 0, second.tail()
            story.drained += 1
        assert first.end() == 0, first.tail()
    story.finish()
    assert_proof(story)
