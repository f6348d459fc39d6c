"""Small engines and readings for tests of the engine."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from models.engine.batch import WIDE, ReadingBatch, make_batch
from models.engine.engine import Engine
from models.engine.labels import Stamp, make_labels
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.fitting import digest_of
from models.stacks import Stack, choose_stacks
from schemas.training import FeatureModel, ModelUpdate
from schemas.twins import write_twin

STAMP = Stamp("readings", "1.2.3", "c0ffee")
START_MS = 1_700_000_000_000
MINUTE_MS = 60_000


class R(NamedTuple):
    """One reading of a test: pressures in psi, time in minutes."""

    minute: float
    casing: float | None = None
    tubing: float | None = None
    machine: str = "well-1"
    tag: str | None = None
    bad: bool = False


def new_engine(stacks: Sequence[Stack] | None = None, **settings: Any) -> Engine:
    """An engine with the load stack and the forest alone, unless told otherwise: its surprises are the model's own."""
    settings.setdefault("history", 128)
    stacks = choose_stacks(["load"]) if stacks is None else stacks
    settings.setdefault("detectors", {stack.name: "isolation_forest" for stack in stacks})
    return Engine(Machines(stacks, EngineSettings(**settings)))


def batch_of(engine: Engine, readings: Sequence[R], first_offset: int = 0) -> ReadingBatch:
    """A run of readings with consecutive offsets."""
    values: list[float] = []
    for reading in readings:
        by_name = {"casing_pressure": reading.casing, "tubing_pressure": reading.tubing}
        found = [by_name.get(name) for name in engine.vocabulary]
        values += [np.nan if value is None else value for value in found]
    return make_batch(
        engine.vocabulary,
        [engine.slot("acme", reading.machine) for reading in readings],
        range(first_offset, first_offset + len(readings)),
        [START_MS + round(reading.minute * MINUTE_MS) for reading in readings],
        [WIDE if reading.tag is None else engine.vocabulary.index(reading.tag) for reading in readings],
        values,
        [1.0] * len(readings),
        [reading.bad for reading in readings],
    )


def labels_of(engine: Engine, batch: ReadingBatch) -> list[Any]:
    """Labels of all stacks for a run, stack by stack."""
    made = []
    for name, verdicts in engine.step(batch).items():
        made += make_labels(engine.stacks[name], verdicts, batch, engine.machines.names, STAMP).labels
    return made


def run(engine: Engine, readings: Sequence[R], first_offset: int = 0) -> list[Any]:
    """Labels of a stretch of readings."""
    return labels_of(engine, batch_of(engine, readings, first_offset))


def as_bytes(labels: Iterable[Any]) -> list[bytes]:
    """Labels as they go out."""
    return [write_twin(label) for label in labels]


def model(
    machine: str = "well-1",
    centre: float = 100.0,
    spread: float = 5.0,
    rung: str = "own",
    digest: int = 1,
    features: Sequence[str] = ("load",),
    stack: str = "load",
) -> ModelUpdate:
    """A model whose surprise is the distance from ``centre`` in spreads, up to 6."""
    steps = np.arange(-6, 7)
    edges = np.float32(centre + (steps[:-1] + 0.5) * spread).astype(float)
    return ModelUpdate(
        digest=f"{digest:016x}",
        client_id="acme",
        machine_id=machine,
        stack=stack,
        rung=rung,
        detector="isolation_forest",
        features=[
            FeatureModel(
                feature=name,
                edges=edges.tolist(),
                scores=(0.4 + 0.05 * np.abs(steps)).tolist(),
                surprises=np.abs(steps).astype(float).tolist(),
                expected_low=centre - 2 * spread,
                expected_high=centre + 2 * spread,
            )
            for name in features
        ],
        readings=200,
        fitted_at=START_MS,
        reason="first",
        request_id=None,
        parent_digest=None,
        manifest="here",
        code_version="1.2.3",
        git_commit="c0ffee",
    )


def as_published(update: ModelUpdate) -> ModelUpdate:
    """The same model under the digest that it really has: a worker takes no other from the topic."""
    return update.model_copy(update={"digest": digest_of(update.features)})


def restored(engine: Engine, updates: Sequence[ModelUpdate] = (), **options: Any) -> Engine:
    """A new engine that was told everything the old one would write to a changelog."""
    touched = [(name, slot) for name in engine.stacks for slot in engine.slots.values()]
    for records in engine.machines.writers.values():
        records.start_over()
    learns_online = any(one.learns_online for one in engine.stacks.values())
    return engine_of(engine.records(touched, [] if learns_online else updates), **options)


def engine_of(records: Iterable[tuple[bytes, bytes]], **options: Any) -> Engine:
    """A new engine that knows what these changelog records say."""
    engine = new_engine(**options)
    for key, value in records:
        engine.restore(key, value)
    engine.finish_restore()
    return engine
