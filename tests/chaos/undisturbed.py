"""The run that nobody disturbed: the engine itself over the whole readings topic, with the models that were adopted.

When a model comes depends on the clock, so each label names the model it was made with and since which offset that is in
force; these are given to the undisturbed run. All else it has to find out by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from models.engine.engine import Engine
from models.engine.labels import Stamp
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from schemas.training import ModelUpdate
from streams.replay.adoptions import Adoption
from streams.settings import Settings
from streams.worker.alone import Alone
from streams.worker.limits import Limits

_RUN: Final = 500


@dataclass(frozen=True, slots=True)
class Build:
    """What the labels say of the code that made them."""

    version: str
    git_commit: str


def new_engine(settings: Settings, number: int) -> Engine:
    """The engine of a partition as the worker makes it."""
    knobs = settings.worker
    settled = EngineSettings(refits=knobs.training_requests, detectors=knobs.detectors)
    return Engine(Machines(choose_stacks(knobs.stacks), settled), number)


def new_partition(settings: Settings, engine: Engine, build: Build) -> Alone:
    """A partition around ``engine`` as the worker makes it."""
    knobs = settings.worker
    stamp = Stamp(settings.topics.readings.name, build.version, build.git_commit)
    return Alone(engine, stamp, Limits(knobs.max_message_bytes, knobs.max_machines_per_client))


def judge_undisturbed(
    partition: Alone,
    records: Sequence[Any],
    adoptions: Iterable[Adoption],
    updates: Mapping[tuple[str, str], ModelUpdate],
) -> None:
    """Take all records of a partition through the engine; what comes of it stays in ``partition.output``.

    ``updates``: models by machine and digest.
    """
    at = 0
    for adoption in sorted(adoptions):
        upto = at
        while upto < len(records) and records[upto].offset < adoption.since_offset:
            upto += 1
        _judge(partition, records[at:upto])
        at = upto
        partition.engine.adopt(updates[adoption.machine_id, adoption.digest], adoption.since_offset)
    _judge(partition, records[at:])


def _judge(partition: Alone, records: Sequence[Any]) -> None:
    for first in range(0, len(records), _RUN):
        partition.judge(records[first : first + _RUN])
