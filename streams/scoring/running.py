"""A table through the engine: as a worker would judge it, with a trainer beside it that answers at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from models.engine.batch import WIDE, ReadingBatch, make_batch
from models.engine.engine import Engine
from models.engine.labels import Stamp, make_labels
from models.engine.machines import Machines
from models.engine.refits import readings_until_due
from models.engine.requests import training_requests
from models.engine.settings import EngineSettings
from models.engine.verdicts import Verdicts
from models.fitting import FitParameters, Fitted, fit_model
from models.stacks import LoadStack, Stack
from models.stacks.general import general_stack
from schemas.training import ModelUpdate, TrainingRequest
from schemas.units import psi_per
from streams.build_info import build_info
from streams.scoring.reading import Table

#: Told of readings judged so far, and of all.
OnProgress = Callable[[int, int], None]

#: Readings stepped at once, at most: often enough for a progress bar.
_RUN: Final = 4096
_CLIENT: Final = "file"


@dataclass(frozen=True, slots=True)
class Part:
    """What the engine said of some readings that follow each other."""

    first: int  # place of the first one in the table
    verdicts: Verdicts
    batch: ReadingBatch


class TableRun:
    """One table, one stack, one engine."""

    def __init__(
        self, table: Table, stack: Stack, machine_id: str, warm_up: int | None, *, refits: bool, detector: str | None,
        unit: str,
    ) -> None:  # fmt: skip
        detectors = {stack.name: detector} if detector else {}
        self.engine = Engine(Machines((stack,), EngineSettings(warm_up=warm_up, refits=refits, detectors=detectors)))
        self.stack = self.engine.stacks[stack.name]
        self._table, self._first_fit = table, self.engine.stacks[stack.name].settings.first_fit
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
        """Verdicts on all readings, in order. A run ends where a refit becomes due: the model is in force for the next."""
        at, n = 0, len(self._table)
        while at < n:
            count = min(_RUN, n - at)
            if self.stack.settings.refits and not self.stack.learns_online:
                core = self.stack.state.core[self._slot]
                count = readings_until_due(core, self._batch.time_ms[at : at + count], self._first_fit)
            batch = self._batch.part(at, at + count)
            verdicts = self.engine.step(batch)
            for request in training_requests(self.engine.machines, verdicts, batch, self._stamp):
                fitted = fit_model(request.features, request.medians, FitParameters(), request.seed)
                self.engine.adopt(answer(request, fitted, self._stamp), at + count)
            yield Part(at, verdicts[self.stack.stack.name], batch)
            at += count
            if on_progress is not None:
                on_progress(at, n)

    def labels(self, part: Part) -> list[Any]:
        """The labels of a part as the worker would write them."""
        return list(make_labels(self.stack, part.verdicts, part.batch, self.engine.machines.names, self._stamp).labels)


def stack_for(table: Table) -> Stack:
    """The load stack where both of its pressures are there, else all signals."""
    load = LoadStack()
    return load if set(load.signals) <= set(table.signals) else general_stack(table.signals)


def answer(request: TrainingRequest, fitted: Fitted, stamp: Stamp) -> ModelUpdate:
    """What a trainer would answer that has fitted this model, but for the registry."""
    return ModelUpdate(
        digest=fitted.digest,
        client_id=request.client_id,
        machine_id=request.machine_id,
        stack=request.stack,
        rung="own",
        detector="isolation_forest",
        features=list(fitted.features),
        readings=fitted.readings,
        fitted_at=datetime(1970, 1, 1, tzinfo=UTC),  # no clock: it does not matter when
        reason=request.reason,
        request_id=request.request_id,
        parent_digest=request.parent_digest,
        manifest="",
        code_version=stamp.code_version,
        git_commit=stamp.git_commit,
    )
