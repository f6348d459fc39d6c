"""A DynamoDB that is busy, fails, loses answers, refuses or is away: the sink loses nothing, waits, or ends and says why."""

import threading
import time

import pytest

from streams.label_store import LabelStore
from streams.label_store.rows import letters
from tests.chaos.bad_dynamodb import PASSING, REFUSED, SILENT, THROTTLED, BadDynamo
from tests.chaos.conftest import MakeDisturbed, Prove
from tests.chaos.disturbed import elsewhere, spoke_too_often
from tests.conftest import MakeSettings
from tests.processes import wait_until
from tests.streams.making_labels import minutes_of_rows


def test_whatever_may_pass_is_tried_again_until_all_labels_are_there_to_the_letter(
    dynamodb_local_endpoint: str, make_settings: MakeSettings, seed: int, whole_suite: bool
) -> None:
    settings = make_settings(None, dynamodb_local_endpoint)
    rows = minutes_of_rows(machines=400 if whole_suite else 60, seconds=600, step_s=10, seed=seed)
    waits: list[float] = []
    lock = threading.Lock()

    def wait(seconds: float) -> None:
        with lock:
            waits.append(seconds)

    with BadDynamo(dynamodb_local_endpoint, seed) as bad, LabelStore(settings.dynamodb) as direct:
        direct.ensure_table()
        troubled = elsewhere(settings, dynamodb=bad.url, max_attempts=40)
        with LabelStore(troubled.dynamodb, troubled.sink, sleep=wait) as store:
            bad.trouble = 0.7
            written = store.write_rows(rows)
            for kind in PASSING:  # each of them, whatever chance had chosen
                bad.kinds = (kind,)
                written = store.write_rows(rows[:600])
        assert set(bad.happened) == set(PASSING)
        assert sorted({letters(row) for row in direct.rows()}) == sorted(map(letters, rows))
    assert len(waits) == bad.happened.total()
    assert written.labels == 600
    assert max(waits) > 4 * min(waits), "it waits longer each time"


@pytest.mark.make_chaos
def test_a_sink_before_a_troubled_dynamodb_loses_nothing(
    kafka_url: str,
    dynamodb_local_endpoint: str,
    make_disturbed: MakeDisturbed,
    assert_proof: Prove,
    seed: int,
) -> None:
    with BadDynamo(dynamodb_local_endpoint, seed) as bad:
        story = make_disturbed(kafka_url, {"dynamodb": bad.url, "max_attempts": 20})
        bad.trouble = 0.4
        with story.running("worker") as worker, story.running("sink") as sink:
            story.feed(100)
            story.settle(worker, sink)
            assert spoke_too_often(sink, 10.0) == []
            assert sink.end() == 0, sink.tail()
        assert bad.happened.total() > 0
    print(dict(bad.happened))
    assert_proof(story)


@pytest.mark.make_chaos
def test_a_refusal_ends_the_sink_with_the_item_s_name_and_the_next_one_goes_on(
    kafka_url: str, dynamodb_local_endpoint: str, make_disturbed: MakeDisturbed, assert_proof: Prove, seed: int
) -> None:
    with BadDynamo(dynamodb_local_endpoint, seed) as bad:
        story = make_disturbed(kafka_url, {"dynamodb": bad.url, "max_attempts": 2})
        bad.trouble, bad.kinds = 1.0, (REFUSED,)
        with story.running("worker") as worker:
            story.feed(20)
            for kind, says in ((REFUSED, "refused acme/well-"), (THROTTLED, "gave up after 2 attempts")):
                bad.kinds = (kind,)
                with story.running("sink") as sink:
                    wait_until(lambda sink=sink: not sink.running, 60.0, "the sink's end")
                    assert sink.status == 1, sink.tail()
                    assert says in sink.tail()
                    assert "Traceback" not in sink.tail(400)
            bad.trouble = 0.0
            with story.running("sink") as sink:
                story.settle(worker, sink)
                assert sink.end() == 0, sink.tail()
            assert worker.end() == 0, worker.tail()
    assert_proof(story)


@pytest.mark.make_chaos
def test_a_dynamodb_that_does_not_answer_is_waited_for_and_asked_again(
    kafka_url: str,
    dynamodb_local_endpoint: str,
    make_disturbed: MakeDisturbed,
    assert_proof: Prove,
    seed: int,
    whole_suite: bool,
) -> None:
    # An attempt waits 20 s for its answer.
    lasts_s = 60.0 if whole_suite else 21.0
    with BadDynamo(dynamodb_local_endpoint, seed) as bad:
        story = make_disturbed(kafka_url, {"dynamodb": bad.url})
        bad.trouble, bad.kinds = 1.0, (SILENT,)
        with story.running("worker") as worker, story.running("sink") as sink:
            story.feed(20)
            wait_until(lambda: bad.happened[SILENT] > 0, 60.0, "silence")
            began_s = time.monotonic()
            while time.monotonic() - began_s < lasts_s:
                story.feed(5)
                time.sleep(5.0)  # that is the story
            assert bad.happened[SILENT] > 1, "a second attempt"
            assert sink.running, sink.tail()
            bad.trouble = 0.0
            story.settle(worker, sink)
            assert sink.end() == 0, sink.tail()
    assert_proof(story)
