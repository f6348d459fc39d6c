"""What the edge knows of one partition beside its engine: how far it was judged, and what waits to be written."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.engine.engine import Engine
from streams.runs.producing import Record
from streams.worker.limits import Limits
from streams.worker.waiting import Slots

Ints = npt.NDArray[np.int64]

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
    came_ms: list[Ints] = field(default_factory=list)  # of each run: its records' Kafka timestamps

    @property
    def waiting(self) -> int:
        """How many labels wait; a rejection, which may be a hundred times as long, counts as so many as it weighs."""
        return len(self.labels) + sum(len(value or b"") for _, value in self.rejected) // _LABEL_BYTES


class Partition:
    """One partition of the readings topic."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self.engine = engine
        self._limits = limits
        self.output = Output()
        self.position = 0  # offset behind the last reading that was judged
        self._known_to = engine.last_offset + 1

    @property
    def next_offset(self) -> int:
        """No reading at or after it is part of any machine's state, be it that it was judged before a restart."""
        return max(self._known_to, self.position)

    def why_no_room(self, client_id: str, machine_id: str) -> str | None:
        """Why there may be no such machine here; None if it is known or there may be one more."""
        return self._limits.why_no_room(self.engine, client_id, machine_id)

    def take_output(self) -> Output:
        """What came out since the last call."""
        output, self.output = self.output, Output()
        return output

    def records_of(self, slots: Slots) -> list[Record]:
        """Changelog records of machines."""
        touched = [(name, slot) for name in self.engine.stacks for slot in slots]
        return list(self.engine.records(touched, ()))
