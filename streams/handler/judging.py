"""Readings to labels, by the one engine: as a worker judges them that has this model."""

from typing import Any

from models.engine.compiled import load_compiler
from models.engine.engine import Engine
from models.engine.labels import Stamp, make_labels
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.self_trained import judge
from models.stacks.base import Stack
from schemas.training import ModelUpdate
from streams.build_info import BuildInfo
from streams.handler.sources import Query, Readings

#: A label as :mod:`schemas.twins` writes it, with the fields of :class:`schemas.labels.Label`.
LabelTwin = Any


def label_readings(
    readings: Readings, query: Query, stack: Stack, model: ModelUpdate | None, build: BuildInfo
) -> list[LabelTwin]:
    """The labels of ``readings``, and after a late one those that it changes.

    A machine's own model stays in force for all of them. Without one, or with its fleet's, models are fitted as the readings
    go by, as ``wellsentry score`` does.
    """
    load_compiler()
    settings = EngineSettings(refits=model is None or model.rung == "fleet")
    engine = Engine(Machines((stack,), settings), readings.partition)
    if model is not None:
        engine.adopt(model, 0)
    slot = engine.slot(query.client_id, query.machine_id)
    batch = readings.batch(engine.vocabulary, slot)
    stamp = Stamp(readings.source, build.version, build.git_commit)
    one, names = engine.stacks[stack.name], engine.machines.names
    return [
        label
        for part in judge(engine, stack.name, batch, stamp)
        for label in make_labels(one, part.verdicts, part.batch, names, stamp).in_order()
    ]
