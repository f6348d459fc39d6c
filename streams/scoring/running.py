"""A table through the engine: as a worker would judge it, with a trainer beside it that answers at once."""

from collections.abc import Iterator
from typing import Any, Final

from models.engine.batch import WIDE, ReadingBatch, make_batch
from models.engine.engine import Engine
from models.engine.labels import Stamp, make_labels
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.self_trained import OnProgress, Part, judge
from models.stacks import LoadStack, Stack
from models.stacks.general import general_stack
from schemas.units import psi_per
from streams.build_info import build_info
from streams.scoring.reading import Table

_CLIENT: Final = "file"


class TableRun:
    """One table, one stack, one engine."""

    def __init__(
        self, table: Table, stack: Stack, machine_id: str, warm_up: int | None, *, refits: bool, detector: str | None,
        unit: str,
    ) -> None:  # fmt: skip
        detectors = {stack.name: detector} if detector else {}
        self.engine = Engine(Machines((stack,), EngineSettings(warm_up=warm_up, refits=refits, detectors=detectors)))
        self.stack = self.engine.stacks[stack.name]
        self._table = table
        self._slot = self.engine.slot(_CLIENT, machine_id)
        build = build_info()
        self._stamp = Stamp("file", build.version, build.git_commit)
        self._batch = self._make_batch(psi_per(unit))

    def _make_batch(self, psi_per_unit: float) -> ReadingBatch:
        table, n = self._table, len(self._table)
        columns = [table.signals.index(name) for name in self.engine.vocabulary]
        values = table.values[:, columns].ravel().tolist()
        return make_batch(
            self.engine.vocabulary, [self._slot] * n, range(n), table.time_ms.tolist(), [WIDE] * n, values,
            [psi_per_unit] * n, [False] * n,
        )  # fmt: skip

    def parts(self, on_progress: OnProgress | None = None) -> Iterator[Part]:
        """Verdicts on all readings, in order."""
        return judge(self.engine, self.stack.stack.name, self._batch, self._stamp, on_progress)

    def labels(self, part: Part) -> list[Any]:
        """The labels of a part as the worker would write them."""
        return list(make_labels(self.stack, part.verdicts, part.batch, self.engine.machines.names, self._stamp).labels)


def stack_for(table: Table) -> Stack:
    """The load stack where both of its pressures are there, else all signals."""
    load = LoadStack()
    return load if set(load.signals) <= set(table.signals) else general_stack(table.signals)
