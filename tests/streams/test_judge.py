"""Runs of several partitions judged together: as if each partition had been alone, to the letter."""

from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import pytest

from models.engine.engine import Engine, keep_only
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from streams.worker.alone import Alone
from streams.worker.judge import Counts, Judge
from streams.worker.limits import Limits
from streams.worker.partition import Partition
from tests.chaos.fleet import CLIENT, Fleet
from tests.chaos.same_state import different_state
from tests.models.engines import STAMP, as_published, model

PARTITIONS = 3
LIMITS = Limits(65_536, 100)
DETECTORS = ["ensemble", "isolation_forest", "standard_absolute_deviation"]


class Record(NamedTuple):
    key: bytes | None
    value: bytes | None
    offset: int
    partition: int
    topic: str = "readings"
    timestamp: int = 0


class Sides:
    """The same readings, judged together on one side, and by each partition alone on the other."""

    def __init__(self, detector: str) -> None:
        self._settings = EngineSettings(detectors={"load": detector}, history=128, first_fit=40)
        self.machines = self._machines()
        self.judge = Judge(self.machines, STAMP, LIMITS, Counts())
        self.shared = {n: Partition(Engine(self.machines, n), LIMITS) for n in range(PARTITIONS)}
        self.alone = {n: Alone(Engine(self._machines(), n), STAMP, LIMITS) for n in range(PARTITIONS)}
        self._fleet = Fleet(seed=3, machines=30)
        self._next = dict.fromkeys(range(PARTITIONS), 0)
        self.incidents = 0  # that were compared

    def _machines(self) -> Machines:
        return Machines(choose_stacks(["load"]), self._settings)

    def feed(self, bursts: range) -> None:
        """Feed some bursts; where a message goes depends on its machine, and one machine is in two partitions."""
        runs: dict[int, list[Record]] = {n: [] for n in self.shared}
        for number in bursts:
            for at, message in enumerate(self._fleet.burst(number)):
                homes = {int(message.home[-3:]) % PARTITIONS} | ({0, 1} if message.home == "well-003" else set())
                for home in homes & runs.keys():
                    offset = self._next[home] + len(runs[home])
                    runs[home].append(Record(message.key, message.value, offset, home))
                    if at % 11 == number % 11:  # the fetch ends here: what is judged together differs every time
                        self._judge(runs)
        self._judge(runs)

    def _judge(self, runs: dict[int, list[Record]]) -> None:
        some = {n: records for n, records in runs.items() if records}
        if not some:
            return
        together = self.judge.judge([(self.shared[n], records) for n, records in some.items()])
        for (n, records), slots in zip(some.items(), together, strict=True):
            apart = self.alone[n].judge(records)
            assert _names(self.shared[n], slots) == _names(self.alone[n], apart)
            self._next[n] += len(records)
            runs[n].clear()

    def adopt(self, offset_ahead: int = 0) -> None:
        """A model of its own for some machines, one for the fleet of one partition."""
        for n, one in self.shared.items():
            updates = [as_published(model(f"well-{m:03d}", spread=3.0 + m)) for m in range(n, 30, 4 * PARTITIONS)]
            updates += [as_published(model("*", rung="fleet", spread=9.0))] if n == 1 else []
            for update in updates:
                for engine in (one.engine, self.alone[n].engine):
                    engine.adopt(update, one.next_offset + offset_ahead)

    def give_up(self, number: int) -> None:
        """Let a partition go, as in a rebalance."""
        self.judge.forget()
        del self.shared[number], self.alone[number]
        keep_only(self.machines, [one.engine for one in self.shared.values()])

    def take_back(self, number: int, records: list[tuple[bytes, bytes]]) -> None:
        """Read the partition's state back."""
        apart = Engine(self._machines(), number)
        for engine in (Engine(self.machines, number), apart):
            for key, value in records:
                engine.restore(key, value)
            engine.finish_restore()
            (self.shared if engine is not apart else self.alone)[number] = (
                Partition(engine, LIMITS) if engine is not apart else Alone(engine, STAMP, LIMITS)
            )

    def assert_same(self) -> None:
        """Nothing that came out differs, nor what would be written."""
        for n, one in self.shared.items():
            here, there = asdict(one.take_output()), asdict(self.alone[n].take_output())
            assert here["labels"]
            assert here == there
            self.incidents += len(here["incidents"])
            assert one.next_offset == self.alone[n].next_offset
            slots = sorted(one.engine.slots.values())
            theirs = [self.alone[n].engine.slots[self.machines.names[slot][:2]] for slot in slots]
            assert self.judge.take_status(slots) == self.alone[n].take_status(theirs)
            assert different_state(one.engine, self.alone[n].engine) == []


def _names(partition: Partition, slots: Any) -> list[Any]:
    return [partition.engine.machines.names[slot] for slot in slots]


@pytest.mark.parametrize("detector", DETECTORS)
def test_partitions_judged_together_get_the_labels_they_get_apart(detector: str) -> None:
    sides = Sides(detector)
    sides.feed(range(30))
    sides.assert_same()
    sides.adopt()
    sides.feed(range(30, 90))
    sides.assert_same()
    assert sides.incidents or detector != "isolation_forest"


@pytest.mark.parametrize("detector", DETECTORS)
def test_partitions_that_stay_go_on_to_the_letter_when_one_goes_and_comes_back(detector: str) -> None:
    sides = Sides(detector)
    sides.feed(range(30))
    sides.adopt()
    sides.feed(range(30, 50))
    records = _all_records(sides, 1)
    sides.assert_same()
    kept = sum(len(sides.shared[n].engine.slots) for n in (0, 2))
    sides.give_up(1)
    assert len(sides.machines.names) == sides.machines.stacks["load"].state.rows == kept
    sides.feed(range(50, 60))
    sides.assert_same()
    sides.take_back(1, records)
    sides.give_up(0)  # before anything of the other is read back
    sides.feed(range(60, 90))
    sides.assert_same()


def test_a_machine_that_never_sends_again_does_not_keep_the_others_slow() -> None:
    sides = Sides("isolation_forest")
    sides.feed(range(10))
    records = _all_records(sides, 1)
    machines = Machines(choose_stacks(["load"]), EngineSettings(detectors={"load": "isolation_forest"}, history=128))
    engine, judge = Engine(machines, 1), Judge(machines, STAMP, LIMITS, Counts())
    assert not judge.is_slow
    for key, value in records:
        engine.restore(key, value)
    engine.finish_restore()
    assert judge.is_slow
    known = machines.unread
    one, body = (
        Partition(engine, LIMITS),
        b'{"client_id":"acme","machine_id":"well-001","time":%d,"casing_pressure":1.0}',
    )
    for at, slow in enumerate((True, False)):
        record = Record(b"well-001", body % (1_790_000_000 + at), 10_000 + at, 1)
        judge.judge([(one, [record])])
        assert judge.is_slow == slow
    assert machines.unread == known - 1 > 0
    judge.forget()
    assert judge.is_slow


def _all_records(sides: Sides, number: int) -> list[tuple[bytes, bytes]]:
    engine = sides.alone[number].engine
    touched = [("load", slot) for slot in engine.slots.values()]
    fleet = [as_published(model("*", rung="fleet", spread=9.0))]
    own = [as_published(model(f"well-{m:03d}", spread=3.0 + m)) for m in range(number, 30, 4 * PARTITIONS)]
    return engine.records(touched, [*own, *fleet])


def test_a_client_s_room_is_counted_by_partition() -> None:
    machines = Machines(choose_stacks(["load"]), EngineSettings())
    parts = [Partition(Engine(machines, n), Limits(65_536, 2)) for n in range(2)]
    judge = Judge(machines, STAMP, Limits(65_536, 2), Counts())
    body = b'{"client_id":"%s","machine_id":"%s","time":1767225600,"casing_pressure":1.0,"tubing_pressure":1.0}'
    for n, one in enumerate(parts):
        names = [b"well-%d-%d" % (n, m) for m in range(3)]
        records = [Record(name, body % (CLIENT.encode(), name), at, n) for at, name in enumerate(names)]
        judge.judge([(one, records)])
    assert [len(one.output.rejected) for one in parts] == [1, 1]
    assert np.array([one.engine.machines_of[CLIENT] for one in parts]).tolist() == [2, 2]
