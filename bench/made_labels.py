"""Labels as a worker makes them, without a worker: readings through the engine of each partition."""

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import structlog

from bench.fleet import Message, models, partition_of
from models.engine.engine import Engine
from models.engine.labels import Stamp
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from streams.worker.adoption import adopt, announce, read_updates
from streams.worker.alone import Alone
from streams.worker.limits import Limits

START_S = 1_795_485_600  # 2026-11-24T02:00:00Z: an hour begins
_COMMIT = "1eaad7f0c0b6a0d94d0f9f9f3a61c2e07b123456"


class _Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    timestamp: int
    headers: tuple[()] = ()


def labels(steps: int, machines: int, partitions: int, step_s: int, seed: int = 0) -> Iterator[Message]:
    """One label of each machine every ``step_s`` seconds of event time; casing and tubing pressure wander, in tenths of psi.

    A last step comes a day later: with it whatever the sink gathers by machine is complete.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    keys = [f"well-{number:05d}".encode() for number in range(machines)]
    homes = [partition_of(key, partitions) for key in keys]
    own = [_partition(number) for number in range(partitions)]
    updates: list[list[Any]] = [[] for _ in range(partitions)]
    for home, key, value in models(machines, partitions):
        updates[home].append(_Record("models", home, len(updates[home]), key, value, 0))
    for partition, records in zip(own, updates, strict=True):
        adopt(partition, announce(partition, read_updates(records))[0])
    rng = np.random.default_rng(seed)
    away = rng.normal(0, 1.5, (2, machines))
    offsets = [0] * partitions
    for step in range(steps + 1):
        away = 0.95 * away + rng.normal(0, 0.5, (2, machines))
        time_s = START_S + (step * step_s if step < steps else steps * step_s + 86_400)
        records_of: list[list[Any]] = [[] for _ in range(partitions)]
        for key, home, casing, tubing in zip(keys, homes, *away, strict=True):
            body = b'{"client_id":"bench","machine_id":"%s","time":%d,"casing_pressure":%.1f,"tubing_pressure":%.1f}'
            value = body % (key, time_s, 300 + casing, 200 + tubing)
            records_of[home].append(_Record("readings", home, offsets[home], key, value, 0))
            offsets[home] += 1
        for home, records in enumerate(records_of):
            if records:
                own[home].take_status(own[home].judge(records))
                for key_of, line in own[home].take_output().labels:
                    yield home, key_of or b"", line or b""


def _partition(number: int) -> Alone:
    machines = Machines(choose_stacks(["load"]), EngineSettings(refits=False))
    return Alone(Engine(machines, number), Stamp("wellsentry.readings", "0.1.0", _COMMIT), Limits(65_536, 100_000))
