"""Poison among good readings: every good one is labelled, every bad one rejected once, and nobody is slowed down for long."""

import random
import time
from pathlib import Path
from typing import Any

import pytest

from schemas.decoding import decode_reading
from schemas.errors import BadReading
from streams.worker.alone import Alone
from streams.worker.limits import Limits
from tests.chaos.conftest import MakeDisturbed, Prove
from tests.chaos.disturbed import warnings
from tests.chaos.fleet import Fleet, Message
from tests.chaos.poison import KINDS, Poison, poison
from tests.chaos.same_state import _Record as Record
from tests.chaos.whole_topics import whole
from tests.models.engines import STAMP, new_engine
from tests.processes import Process

_MOST_MEMORY_MB = 1_500
_BURSTS = 30


class PoisonedFleet(Fleet):
    """A fleet among whose readings there is as much poison."""

    def __init__(self, seed: int, messages: int) -> None:
        super().__init__(seed)
        made = list(poison(seed, messages))
        each = -(-messages // _BURSTS)
        self._poison = [made[at : at + each] for at in range(0, messages, each)]

    def burst(self, number: int) -> list[Message]:
        """Good ones and bad ones, mixed."""
        found = super().burst(number)
        if number < len(self._poison):
            found += [
                Message(
                    (one.key or b"evil").decode(errors="replace"),
                    one.key,
                    one.value,
                    _is_good(one),
                    one.fate == "either",
                )
                for one in self._poison[number]
            ]
            # Not shuffled within a machine: the order of the good ones is part of the story.
            order = random.Random(f"{self.seed}/{number}/mixed")
            places = sorted(order.sample(range(len(found)), len(self._poison[number])))
            bad = found[-len(self._poison[number]) :]
            good = found[: -len(self._poison[number])]
            for place, one in zip(places, bad, strict=True):
                good.insert(place, one)
            found = good
        return found


def _is_good(one: Poison) -> bool:
    """Whether a message is a reading. Where nobody can say beforehand the contract decides, read by itself."""
    if one.fate != "either":
        return one.fate == "labelled"
    if one.value is None or one.key is None or len(one.value) > 65_536:
        return False
    try:
        return decode_reading(one.value).machine_id.encode() == one.key
    except BadReading:
        return False


def test_each_kind_of_poison_becomes_what_it_must_whether_alone_or_in_a_run(seed: int, whole_suite: bool) -> None:
    messages = list(poison(seed, 100_000 if whole_suite else 10_000))
    for size in (1, 50):
        partition = Alone(new_engine(), STAMP, Limits(65_536, 100_000))
        rejected: set[int] = set()
        for at in range(0, len(messages), size):
            run: list[Any] = [
                Record(one.key, one.value, at + number)  # type: ignore[arg-type]
                for number, one in enumerate(messages[at : at + size])
            ]
            partition.judge(run)
        output = partition.take_output()
        for _, value in output.rejected:
            offset = int(value.split(b'"source_offset":', 1)[1].split(b",", 1)[0])
            assert offset not in rejected, "exactly one rejection each"
            rejected.add(offset)
        wrong = [(one.kind, one.value) for at, one in enumerate(messages) if _is_good(one) == (at in rejected)]
        assert wrong == []
    assert {one.kind for one in messages} == {kind.__name__.strip("_") for kind in KINDS}


@pytest.mark.timeout(1200)
@pytest.mark.make_chaos
def test_poison_among_good_readings_stops_nobody(
    kafka_url: str, make_disturbed: MakeDisturbed, assert_proof: Prove, seed: int, whole_suite: bool
) -> None:
    messages = 100_000 if whole_suite else 3_000
    story = make_disturbed(kafka_url, {})
    story.fleet = PoisonedFleet(seed, messages)
    story.feed(_BURSTS)
    sent = [one for number in range(_BURSTS) for one in story.fleet.burst(number)]
    bad = sum(not one.good for one in sent)
    began_s = time.monotonic()
    with story.running("worker") as worker, story.running("sink") as sink:
        story._wait_committed("worker", story.settings.topics.readings.name, worker)
        took_s = time.monotonic() - began_s
        cpu_s, memory_mb = _used(worker)
        print(
            f"{len(sent):,} messages, {bad:,} bad: {len(sent) / took_s:,.0f} messages/s with the start, "
            f"{cpu_s:.1f} s of CPU, {memory_mb:.0f} MB"
        )
        assert memory_mb < _MOST_MEMORY_MB
        story.settle(worker, sink)
        for one in (worker, sink):
            assert len(warnings(one)) <= took_s, one.tail()
            assert one.end() == 0, one.tail()
    assert sum(map(len, whole(story.settings, story.settings.topics.rejected.name).values())) == bad
    assert_proof(story)


def _used(process: Process) -> tuple[float, float]:
    """CPU seconds, and megabytes of memory at its peak, of a process that runs."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = Path(f"/proc/{process.pid}/status").read_text()
    peak_kb = int(status.split("VmHWM:")[1].split()[0])
    ticks = 100  # of every Linux
    return (int(fields[11]) + int(fields[12])) / ticks, peak_kb / 1024
