"""A few invented readings through every step, so that what is compiled is compiled, kept and loaded.

Compiled steps that are kept take a second to load, those that are not a minute to compile: better before the first reading
than with it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from models.engine.batch import WIDE, ReadingBatch, make_batch
from models.engine.compiled import load_compiler
from models.engine.engine import Engine
from models.engine.labels import Stamp, make_labels
from models.engine.machines import Machines
from models.engine.refits import training_medians
from models.engine.settings import EngineSettings
from models.stacks.base import Stack
from schemas.training import FeatureModel, ModelUpdate

_READINGS: Final = 64  # more than any stack's window needs to give a median

_STAMP: Final = Stamp("rehearsal", "0", "none")


def rehearse(stacks: Sequence[Stack], settings: EngineSettings) -> None:
    """Score readings without a model and with one, some late, look back as for a training request, and restart."""
    load_compiler()
    engine = Engine(Machines(stacks, settings))
    engine.slot("client", "machine")
    _label(engine, _readings(engine, 0, range(_READINGS)))
    updates = [_model(stack.name, stack.feature_names) for stack in stacks]
    for update in updates:
        engine.adopt(update, _READINGS)
    minutes = range(_READINGS, 2 * _READINGS)
    _label(engine, _readings(engine, _READINGS, minutes))
    _label(engine, _readings(engine, 2 * _READINGS, [minute - 0.5 for minute in minutes[-10:]]))
    for stack in engine.stacks.values():
        training_medians(stack.state, 0, stack.span_ms)
    again = Engine(Machines(stacks, settings))
    for key, value in engine.records([(stack.name, 0) for stack in stacks], updates):
        again.restore(key, value)
    again.finish_restore()
    _label(again, _readings(again, 3 * _READINGS, [minutes.stop]))


def _label(engine: Engine, batch: ReadingBatch) -> None:
    for name, verdicts in engine.step(batch).items():
        make_labels(engine.stacks[name], verdicts, batch, engine.machines.names, _STAMP)


def _readings(engine: Engine, first_offset: int, minutes: Sequence[float]) -> ReadingBatch:
    """Of one machine, all signals slowly rising."""
    n = len(minutes)
    return make_batch(
        engine.vocabulary,
        slot=[0] * n,
        offset=range(first_offset, first_offset + n),
        time_ms=[round(60_000 * minute) for minute in minutes],
        tag=[WIDE] * n,
        values=[100.0 + minute / 7 + place for minute in minutes for place in range(len(engine.vocabulary))],
        psi_per_unit=[1.0] * n,
        bad=[False] * n,
    )


def _model(stack: str, features: tuple[str, ...]) -> ModelUpdate:
    """Any model that fits the stack."""
    made = [
        FeatureModel(
            feature=feature,
            edges=[0.0, 100.0],
            scores=[0.6, 0.4, 0.6],
            surprises=[3.0, 0.5, 3.0],
            expected_low=0.0,
            expected_high=100.0,
        )
        for feature in features
    ]
    return ModelUpdate(
        digest="0" * 16,
        client_id="client",
        machine_id="machine",
        stack=stack,
        rung="own",
        detector="isolation_forest",
        features=made,
        readings=_READINGS,
        fitted_at=datetime.fromtimestamp(0, UTC),
        reason="first",
        request_id=None,
        parent_digest=None,
        manifest="none",
        code_version="0",
        git_commit="none",
    )
