"""One partition's engine with what the edge knows beside it: positions, what is touched, the latest labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.engine.codes import ANOMALOUS, MISSING, UNSCORED
from models.engine.engine import Engine
from models.engine.labels import Stamp, make_labels, status_of
from models.engine.requests import training_requests
from models.engine.verdicts import Verdicts
from schemas.twins import write_twin
from streams.runs.producing import Record
from streams.worker.intake import take_in_run
from streams.worker.limits import Limits
from streams.worker.waiting import Slots

#: About what a label weighs.
_LABEL_BYTES = 500


@dataclass(slots=True)
class Output:
    """Records for each topic that came out of runs of one partition, in order."""

    labels: list[Record] = field(default_factory=list)
    incidents: list[Record] = field(default_factory=list)
    rejected: list[Record] = field(default_factory=list)
    training: list[Record] = field(default_factory=list)
    status: list[Record] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """How many labels wait; a rejection, which may be a hundred times as long, counts as so many as it weighs."""
        return len(self.labels) + sum(len(value or b"") for _, value in self.rejected) // _LABEL_BYTES


@dataclass(slots=True)
class Counts:
    """What happened to readings, for the log."""

    readings: int = 0
    labels: int = 0
    anomalous: int = 0
    unscored: int = 0
    missing_signals: int = 0
    rejected: int = 0
    revised: int = 0
    newest_ms: int = 0


class Partition:
    """Judges runs and keeps what has to be written for them."""

    def __init__(self, engine: Engine, stamp: Stamp, limits: Limits, counts: Counts) -> None:
        self.engine = engine
        self._stamp = stamp
        self._limits = limits
        self._counts = counts
        self.output = Output()
        self.position = 0  # offset behind the last reading that was judged
        self._known_to = engine.last_offset + 1
        self._latest: dict[str, dict[int, Any]] = {}  # by stack and slot: labels whose status is not sent
        self._keys: list[bytes] = []  # by slot: the key of its labels

    def judge(self, records: Sequence[Any]) -> Slots:
        """Take one run through the engine: what comes of it waits in ``output``, the slots whose state changed are given."""
        taken = take_in_run(records, self.engine, self._limits)
        self.position = max(self.position, records[-1].offset + 1)
        output, machines = self.output, self.engine.machines
        batch = taken.batch
        for rejection, key in ((rejection, rejection.key) for rejection in taken.rejected):
            output.rejected.append((key, rejection.model_dump_json().encode()))
        verdicts = self.engine.step(batch)
        slots = batch.slot.tolist()
        keys = self._keys_of(slots)
        for name, judged in verdicts.items():
            made = make_labels(self.engine.stacks[name], judged, batch, machines, self._stamp)
            if made.revised:
                output.labels += [(label.machine_id.encode(), write_twin(label)) for label in made.in_order()]
            else:
                lines = zip(made.index, map(write_twin, made.labels), strict=True)
                output.labels += [(keys[at], line) for at, line in lines]
            output.incidents += [(i.machine_id.encode(), i.model_dump_json().encode()) for i in made.incidents]
            latest = self._latest.setdefault(name, {})
            if judged.late.any():
                late = judged.late.tolist()
                pairs = zip(made.index, made.labels, strict=True)
                latest.update((slots[at], label) for at, label in pairs if not late[at])
            else:
                latest.update(zip([slots[at] for at in made.index], made.labels, strict=True))
            self._count(judged, len(made.labels), len(made.revised))
        for request in training_requests(self.engine, verdicts, batch, self._stamp):
            output.training.append((request.machine_id.encode(), request.model_dump_json().encode()))
        self._counts.readings += len(batch)
        self._counts.rejected += len(taken.rejected)
        if len(batch):
            self._counts.newest_ms = max(self._counts.newest_ms, int(batch.time_ms.max()))
        return batch.slot

    @property
    def next_offset(self) -> int:
        """No reading at or after it is part of any machine's state, be it that it was judged before a restart."""
        return max(self._known_to, self.position)

    def why_no_room(self, client_id: str, machine_id: str) -> str | None:
        """Why there may be no such machine here; None if it is known or there may be one more."""
        return self._limits.why_no_room(self.engine, client_id, machine_id)

    def _keys_of(self, slots: Sequence[int]) -> list[bytes]:
        known, machines = self._keys, self.engine.machines
        known += [machine.encode() for _, machine in machines[len(known) :]]
        return [known[slot] for slot in slots]

    def _count(self, judged: Verdicts, labels: int, revised: int) -> None:
        counts = self._counts
        counts.labels += labels
        counts.revised += revised
        counts.anomalous += int(np.count_nonzero(judged.verdict == ANOMALOUS))
        counts.unscored += labels - int(np.count_nonzero(judged.verdict != UNSCORED))
        counts.missing_signals += int(np.count_nonzero(judged.kind == MISSING))

    def take_output(self) -> Output:
        """What came out since the last call."""
        output, self.output = self.output, Output()
        return output

    def records_of(self, slots: Slots) -> list[Record]:
        """Changelog records of machines."""
        touched = [(name, slot) for name in self.engine.stacks for slot in slots.tolist()]
        return list(self.engine.records(touched, ()))

    def take_status(self, slots: Slots) -> list[Record]:
        """Status of those of the machines that were labelled since they were last asked for."""
        made: list[Record] = []
        stacks = self.engine.stacks.values()
        for slot in slots.tolist():
            of_slot = [labels.pop(slot) for labels in self._latest.values() if slot in labels]
            if not of_slot:
                continue  # all its readings were late
            client, machine = self.engine.machines[slot]
            readings = max(int(one.state.core[slot]["readings"]) for one in stacks)
            made.append((f"{client}/{machine}".encode(), status_of(readings, of_slot)))
        return made
