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
        self.touched: dict[str, dict[int, None]] = {}  # by stack: slots whose records are to be written
        self.next_offset = engine.last_offset + 1  # of the reading that comes next
        self._latest: dict[str, dict[int, Any]] = {}  # by stack and slot: labels whose status is not sent
        self._keys: list[bytes] = []  # by slot: the key of its labels

    def judge(self, records: Sequence[Any]) -> None:
        """Take one run through the engine; everything that comes of it waits in ``output`` and ``touched``."""
        taken = take_in_run(records, self.engine, self._limits)
        self.next_offset = max(self.next_offset, records[-1].offset + 1)
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
            self.touched.setdefault(name, {}).update(dict.fromkeys(slots))
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

    def has_room_for(self, client_id: str, machine_id: str) -> bool:
        """Whether the machine is known, or there may be one more."""
        return self._limits.why_no_room(self.engine, client_id, machine_id) is None

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

    def take_records(self) -> list[Record]:
        """Changelog records of all machines touched since the last call."""
        touched, self.touched = self.touched, {}
        return list(self.engine.records([(name, slot) for name, slots in touched.items() for slot in slots], ()))

    @property
    def has_status(self) -> bool:
        """Whether a machine's status is waiting to be sent."""
        return any(self._latest.values())

    def take_status(self) -> list[Record]:
        """Status of the machines labelled since the last call."""
        latest, self._latest = self._latest, {}
        made: list[Record] = []
        for slot in dict.fromkeys(slot for labels in latest.values() for slot in labels):
            client, machine = self.engine.machines[slot]
            readings = max(int(one.state.core[slot]["readings"]) for one in self.engine.stacks.values())
            of_slot = [labels[slot] for labels in latest.values() if slot in labels]
            made.append((f"{client}/{machine}".encode(), status_of(readings, of_slot)))
        return made
