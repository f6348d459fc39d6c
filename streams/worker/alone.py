"""One partition judged by itself, as a worker would judge it: where readings are judged again."""

from collections.abc import Sequence
from typing import Any

from models.engine.engine import Engine
from models.engine.labels import Stamp
from streams.runs.producing import Record
from streams.worker.judge import Counts, Judge
from streams.worker.limits import Limits
from streams.worker.partition import Partition
from streams.worker.waiting import Slots


class Alone(Partition):
    """A partition with a judge of its own."""

    def __init__(self, engine: Engine, stamp: Stamp, limits: Limits) -> None:
        super().__init__(engine, limits)
        self._judge = Judge(engine.machines, stamp, limits, Counts())

    def judge(self, records: Sequence[Any]) -> Slots:
        """Take one run through the engine: what comes of it waits in ``output``, the slots whose state changed are given."""
        (slots,) = self._judge.judge([(self, records)])
        return slots

    def take_status(self, slots: Slots) -> list[Record]:
        """Status of those of the machines that were labelled since they were last asked for."""
        return self._judge.take_status(slots)
