"""Labels made again: from a machine's first reading, and from every snapshot that a training request brought."""

import json
from typing import Any, NamedTuple

import pytest

from models.engine.engine import Engine
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.engine.snapshots import Snapshot, put_snapshots
from models.stacks import choose_stacks
from schemas.training import TrainingRequest
from streams.replay.adoptions import Adoption, adoptions_in, still_to_come
from streams.replay.rerun import Rerun
from streams.worker.alone import Alone
from streams.worker.limits import Limits
from tests.chaos.fleet import Fleet
from tests.models.engines import STAMP, as_published, model

LIMITS = Limits(65_536, 100)
BURSTS = 90


class Record(NamedTuple):
    key: bytes | None
    value: bytes | None
    offset: int
    topic: str = "readings"
    partition: int = 0
    timestamp: int = 0


class Then:
    """What was: a fleet's readings, the labels they got, and snapshots of some machines on the way."""

    def __init__(self, detector: str) -> None:
        self.settings = EngineSettings(detectors={"load": detector}, history=128, first_fit=20)
        self.models = {}
        messages = [message for number in range(BURSTS) for message in Fleet(seed=5, machines=14).burst(number)]
        self.records = [Record(one.key, one.value, 3 * at) for at, one in enumerate(messages)]
        judging = Alone(self.new_engine(), STAMP, LIMITS)
        for first in range(0, len(self.records), 61):
            run = self.records[first : first + 61]
            if first % 183 == 0:
                for update in self._updates(first):
                    self.models[update.machine_id, update.digest] = update
                    judging.engine.adopt(update, run[0].offset)
            judging.judge(run)
        output = judging.take_output()
        self.labels = [value or b"" for _, value in output.labels]
        requests = [TrainingRequest.model_validate_json(value or b"") for _, value in output.training]
        self.snapshots = [(one.source.last_offset, Snapshot.unpack(one.state or b"")) for one in requests]

    def new_engine(self) -> Engine:
        return Engine(Machines(choose_stacks(["load"]), self.settings))

    def _updates(self, first: int) -> list[Any]:
        own = f"well-{first % 14:03d}"
        made = [model(own, centre=100.0 + first % 5, spread=3.0 + first % 3)]
        if first % 366 == 0:
            made.append(model("*", centre=0.0, spread=2.0 + first % 4, rung="fleet"))
        return [as_published(one) for one in made]

    def find(self, adoption: Adoption) -> Any:
        return self.models[adoption.machine_id, adoption.digest]

    def rerun(self, snapshots: list[Snapshot]) -> Rerun:
        engine = self.new_engine()
        fleets = {digest: update for (_, digest), update in self.models.items()}
        put_snapshots(engine, [(one, fleets.get(one.model_digest or "")) for one in snapshots])
        named = adoptions_in(json.loads(label) for label in self.labels)
        return Rerun(engine, STAMP, still_to_come(named, snapshots), self.find, 65_536)


@pytest.fixture(scope="module", params=["ensemble", "isolation_forest"])
def then(request: pytest.FixtureRequest) -> Then:
    return Then(request.param)


def test_from_the_first_reading_all_labels_come_out_as_they_were(then: Then) -> None:
    again = then.rerun([])
    made = [value for first in range(0, len(then.records), 97) for _, value in _judge(again, then.records, first, 97)]
    assert sorted(made) == sorted(then.labels)
    assert len({json.loads(label)["model_digest"] for label in then.labels}) > 5
    assert any(json.loads(label)["revision"] for label in then.labels)


def later(label: bytes, since: dict[str, int]) -> bool:
    """Whether a label is of a reading that comes after its machine's snapshot."""
    found = json.loads(label)
    return bool(found["source_offset"] > since.get(found["machine_id"], -1))


def test_from_every_snapshot_all_later_labels_of_its_machine_come_out_as_they_were(then: Then) -> None:
    assert len(then.snapshots) > 20
    for offset, snapshot in then.snapshots:
        key = snapshot.machine_id.encode()
        records = [record for record in then.records if record.offset > offset and record.key == key]
        made = {value for _, value in then.rerun([snapshot]).judge(records).labels}
        own = {label for label in then.labels if json.loads(label)["machine_id"] == snapshot.machine_id}
        assert {label for label in own if later(label, {snapshot.machine_id: offset})} <= made <= own


def test_machines_that_begin_at_different_snapshots_are_judged_together(then: Then) -> None:
    newest = {snapshot.machine_id: (offset, snapshot) for offset, snapshot in then.snapshots}
    since = {machine: offset for machine, (offset, _) in newest.items()}
    made = {value for _, value in then.rerun([snapshot for _, snapshot in newest.values()]).judge(then.records).labels}
    assert {label for label in then.labels if later(label, since)} <= made <= set(then.labels)


def _judge(again: Rerun, records: list[Record], first: int, count: int) -> list[tuple[bytes | None, bytes | None]]:
    return again.judge(records[first : first + count]).labels
