"""One machine's readings through an engine with a trainer beside it that answers at once: no topic, no registry, no clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from models.engine.batch import ReadingBatch
from models.engine.engine import Engine
from models.engine.labels import Stamp
from models.engine.refits import readings_until_due
from models.engine.requests import training_requests
from models.engine.verdicts import Verdicts
from models.fitting import FitParameters, Fitted, fit_model
from schemas.training import ModelUpdate, TrainingRequest

#: Told of readings judged so far, and of all.
OnProgress = Callable[[int, int], None]

#: Readings stepped at once, at most: often enough for a progress bar.
_RUN: Final = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """What the engine said of some readings that follow each other."""

    first: int  # place of the first one in the batch
    verdicts: Verdicts
    batch: ReadingBatch


def judge(
    engine: Engine, stack: str, batch: ReadingBatch, stamp: Stamp, on_progress: OnProgress | None = None
) -> Iterator[Part]:
    """Verdicts of ``stack`` on all readings of ``batch``, one machine's, in order.

    A run ends where a refit becomes due: the model is in force for the next one. An engine that asks for no refits keeps the
    models it has.
    """
    one = engine.stacks[stack]
    at, n = 0, len(batch)
    while at < n:
        count = min(_RUN, n - at)
        if one.settings.refits and not one.learns_online:
            core = one.state.core[batch.slot[at]]
            count = readings_until_due(core, batch.time_ms[at : at + count], one.settings.first_fit)
        run = batch.part(at, at + count)
        verdicts = engine.step(run)
        for request in training_requests(engine.machines, verdicts, run, stamp):
            fitted = fit_model(request.features, request.medians, FitParameters(), request.seed)
            engine.adopt(answer(request, fitted, stamp), int(run.offset[-1]) + 1)
        yield Part(at, verdicts[stack], run)
        at += count
        if on_progress is not None:
            on_progress(at, n)


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
