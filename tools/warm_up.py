"""Runs a few readings through every registered stack, so that what is compiled at first use is compiled and kept."""

from collections.abc import Sequence

from models.engine.batch import WIDE, ReadingBatch, make_batch
from models.engine.engine import Engine
from models.engine.refits import training_medians
from models.engine.settings import EngineSettings
from models.stacks import STACKS, choose_stacks
from schemas.training import FeatureModel, ModelUpdate

READINGS = 64  # more than any stack's window needs to give a median


def main() -> None:
    """Score readings without a model and with one, some of them late, and look back as a training request does."""
    engine = Engine(choose_stacks(STACKS), EngineSettings())
    engine.slot("client", "machine")
    engine.step(readings(engine, 0, range(READINGS)))
    for stack in STACKS.values():
        engine.adopt(model(stack.name, stack.feature_names), READINGS)
    minutes = range(READINGS, 2 * READINGS)
    engine.step(readings(engine, READINGS, minutes))
    engine.step(readings(engine, 2 * READINGS, [minute - 0.5 for minute in minutes[-10:]]))
    engine.step(readings(engine, 3 * READINGS, [minutes.stop]))
    for stack in engine.stacks.values():
        training_medians(stack.state, 0, stack.span_ms)


def readings(engine: Engine, first_offset: int, minutes: Sequence[float]) -> ReadingBatch:
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


def model(stack: str, features: tuple[str, ...]) -> ModelUpdate:
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
        readings=READINGS,
        fitted_at=0,
        reason="first",
        request_id=None,
        parent_digest=None,
        manifest="none",
        code_version="0",
        git_commit="none",
    )


if __name__ == "__main__":
    main()
