"""A bad network between programs and broker: slow, broken, silent for longer than a session lasts, losing answers."""

import time
from collections.abc import Iterator

import pytest

from tests.chaos.conftest import MakeDisturbed, Prove
from tests.chaos.disturbed import spoke_too_often
from tests.chaos.proxy import OFFSET_COMMIT, PRODUCE, ProxiedKafka, Proxy, Weather
from tests.parts import running_real

SLOW = Weather(delay_s=0.1)
BREAKING = Weather(breaks_after=150_000, delay_s=0.01)
COMMITS_LOST = Weather(lost=frozenset({OFFSET_COMMIT}))
LABELS_LOST = Weather(lost=frozenset({PRODUCE}))
SILENT = Weather(silent=True)
REFUSING = Weather(refusing=True)


@pytest.fixture(scope="module")
def kafka() -> Iterator[ProxiedKafka]:
    """A broker that can be reached over a proxy too."""
    broker = ProxiedKafka()
    for _ in running_real(broker):
        yield broker


@pytest.fixture
def proxy(kafka: ProxiedKafka, seed: int) -> Iterator[Proxy]:
    """The bad network."""
    with Proxy(kafka.proxy_port, kafka.target_port, seed) as between:
        yield between


@pytest.mark.make_chaos
def test_over_a_bad_network_nothing_is_lost_or_altered(
    kafka: ProxiedKafka, proxy: Proxy, make_disturbed: MakeDisturbed, assert_proof: Prove, whole_suite: bool
) -> None:
    story = make_disturbed(kafka.url, {"broker": kafka.proxied})
    # The session lasts 6 s. A lost answer of a whole produce is waited for for 30 s.
    spells = [(SLOW, 3.0), (BREAKING, 5.0), (COMMITS_LOST, 3.0), (SILENT, 9.0)]
    if whole_suite:
        spells = [*spells * 3, (REFUSING, 20.0), (LABELS_LOST, 40.0), (SILENT, 45.0), (BREAKING, 60.0), (SLOW, 30.0)]
    with story.running("worker") as worker, story.running("sink") as sink:
        story.feed(10)
        story.settle(worker, sink)
        began_s = time.monotonic()
        for weather, lasts_s in spells:
            with proxy.during(weather):
                story.feed(10)
                time.sleep(lasts_s)  # that is the story
            for one in (worker, sink):
                assert one.running, one.tail()
        story.settle(worker, sink)
        for one in (worker, sink):
            assert spoke_too_often(one, time.monotonic() - began_s) == []
            assert one.end() == 0, one.tail()
    assert proxy.happened.broken > 0
    assert proxy.happened.lost[OFFSET_COMMIT] > 0
    print(proxy.happened)
    assert_proof(story)


@pytest.mark.make_chaos
def test_two_workers_of_which_one_is_cut_off_say_the_same_as_one(
    kafka: ProxiedKafka, proxy: Proxy, make_disturbed: MakeDisturbed, assert_proof: Prove
) -> None:
    # One is behind the proxy and falls silent: the other takes over what it had, and gives it back.
    story = make_disturbed(kafka.url, {"broker": kafka.proxied})
    with story.running("worker") as cut_off, story.running("sink") as sink:
        story.feed(20)
        story.settle(cut_off, sink)
        story.by = story.settings
        with story.running("worker") as other:
            story.feed(20)
            story.settle(other)
            with proxy.during(SILENT):
                story.feed(20)
                time.sleep(12.0)  # twice a session
            story.feed(20)
            story.settle(other)
            for one in (cut_off, other, sink):
                assert one.end() == 0, one.tail()
    assert_proof(story)
