"""The broker restarts, or is gone for longer than a session lasts: programs wait for it, say so now and then, and go on."""

import time
from pathlib import Path

import pytest

from streams.parts.kafka_jars import KafkaJars
from streams.parts.ports import free_port
from tests.chaos.conftest import MakeDisturbed, Prove
from tests.chaos.disturbed import spoke_too_often
from tests.chaos.whole_topics import ends, members
from tests.conftest import MakeSettings
from tests.processes import running, wait_until


@pytest.mark.make_chaos
def test_a_broker_that_is_gone_for_a_while_is_waited_for(
    own_kafka: KafkaJars, make_disturbed: MakeDisturbed, assert_proof: Prove, whole_suite: bool
) -> None:
    story = make_disturbed(own_kafka.url, {})
    labels = story.settings.topics.labels.name
    absences_s = [0.0, 60.0, 5.0, 20.0, 0.0] if whole_suite else [15.0]
    with story.running("worker") as worker, story.running("sink") as sink, story.running("trainer") as trainer:
        groups = [story.group(command) for command in ("worker", "sink", "trainer")]
        wait_until(lambda: all(members(story.settings, group) for group in groups), 90.0, "all three at work")
        began_s = time.monotonic()
        for absence_s in absences_s:
            half = sum(ends(story.settings, labels).values()) + 15 * story.fleet.machines
            story.feed(30)
            wait_until(lambda half=half: sum(ends(story.settings, labels).values()) > half, 90.0, "half done", worker)
            own_kafka.stop()
            time.sleep(absence_s)  # that is the story
            own_kafka.start()
            for one in (worker, sink, trainer):
                assert one.running, one.tail()
                assert spoke_too_often(one, time.monotonic() - began_s) == []
        story.feed(5)
        story.settle(worker, sink)
        for one in (worker, sink, trainer):
            assert one.end() == 0, one.tail()
    assert_proof(story)


@pytest.mark.parametrize(
    "command",
    ["worker", *(pytest.param(one, marks=pytest.mark.make_chaos) for one in ("sink", "trainer"))],
)
def test_a_program_that_is_started_without_a_broker_says_so_and_ends(
    make_settings: MakeSettings, tmp_path: Path, command: str
) -> None:
    settings = make_settings(f"127.0.0.1:{free_port()}", log={"format": "json"})
    with running(command, settings, tmp_path) as program:
        wait_until(lambda: not program.running, 40.0, f"{command}'s end")
        assert program.status == 1, program.tail()
        assert f"nothing listens at {settings.broker.url}; start Kafka" in program.tail()
        assert spoke_too_often(program, 10.0) == []
