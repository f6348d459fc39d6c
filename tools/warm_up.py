"""Runs a few readings through every registered stack, so that what is compiled at first use is compiled and kept."""

from models.engine.batch import WIDE, ReadingBatch, make_batch
from models.engine.engine import Engine
from models.engine.refits import training_medians
from models.engine.settings import EngineSettings
from models.stacks import STACKS, choose_stacks
from schemas.training import FeatureModel, ModelUpdate

READINGS = 64  # more than any stack's window needs to give a median


def main() -> None:
    """Score readings without a model and with one, and look back at them as a training request does."""
    engine = Engine(choose_stacks(STACKS), EngineSettings())
    engine.slot("client", "machine")
    engine.step(readings(engine, 0))
    for stack in STACKS.values():
        engine.adopt(model(stack.name, stack.feature_names), READINGS)
    engine.step(readings(engine, READINGS))
    for stack in engine.stacks.values():
        training_medians(stack.state, 0, stack.span_ms)


def readings(engine: Engine, first_offset: int) -> ReadingBatch:
    """A minute apart, of one machine, all signals slowly rising."""
    offsets = range(first_offset, first_offset + READINGS)
    return make_batch(
        engine.vocabulary,
        slot=[0] * READINGS,
        offset=offsets,
        time_ms=[60_000 * offset for offset in offsets],
        tag=[WIDE] * READINGS,
        values=[100.0 + offset / 7 + place for offset in offsets for place in range(len(engine.vocabulary))],
        psi_per_unit=[1.0] * READINGS,
        bad=[False] * READINGS,
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
