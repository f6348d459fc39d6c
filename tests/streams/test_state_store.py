"""The worker's store: what it keeps over a rebalance, and when it has to read everything again."""

from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import Any, NamedTuple

import faust
import pytest
from faust.types import TP

from models.engine.engine import Engine
from streams.worker.store import StateStore
from tests.models.engines import R, batch_of, new_engine

CHANGELOG = TP("changelog", 3)


class Record(NamedTuple):
    key: bytes
    value: bytes
    offset: int


class Log:
    """A changelog partition in memory."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.read = 0

    def append(self, engine: Engine) -> list[Record]:
        new = [
            Record(key, value, len(self.records) + at)
            for at, (key, value) in enumerate(engine.records([("load", 0)], ()))
        ]
        self.records += new
        return new

    async def whole(self, tp: TP) -> AsyncIterator[Iterable[Any]]:
        assert tp == CHANGELOG
        self.read += 1
        yield self.records[: len(self.records) // 2]
        yield self.records[len(self.records) // 2 :]


def judge(engine: Engine, first: int, stop: int) -> None:
    readings = [R(float(minute), 100.0 + minute % 7, 20.0) for minute in range(first, stop)]
    engine.step(batch_of(engine, readings, first))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def store(log: Log) -> StateStore:
    app = faust.App("store", store="memory://")
    options = {"new_engine": new_engine, "read_whole": log.whole}
    return StateStore("wellsentry://state", app, SimpleNamespace(name="state"), options=options)


async def test_an_engine_that_knows_all_is_kept_over_a_rebalance(store: StateStore, log: Log) -> None:
    other = new_engine()
    judge(other, 0, 30)
    store.apply_run(CHANGELOG, log.append(other))
    await store.on_recovery_completed({CHANGELOG}, set())
    kept = store.engine(3)
    await store.on_rebalance({CHANGELOG}, set(), set())
    assert store.persisted_offset(CHANGELOG) == log.records[-1].offset
    await store.on_recovery_completed({CHANGELOG}, set())
    assert store.engine(3) is kept
    assert log.read == 0


async def test_one_that_another_worker_went_past_is_read_whole_again(store: StateStore, log: Log) -> None:
    other = new_engine()
    judge(other, 0, 100)
    store.apply_run(CHANGELOG, log.append(other))
    await store.on_recovery_completed({CHANGELOG}, set())
    judge(store.engine(3), 100, 130)  # and then the partition was another's, before this was written
    judge(other, 100, 180)
    since = log.append(other)
    await store.on_rebalance({CHANGELOG}, set(), set())
    store.apply_run(CHANGELOG, since)
    await store.on_recovery_completed({CHANGELOG}, set())
    again = store.engine(3)
    judge(again, 180, 200)
    judge(other, 180, 200)
    assert log.read == 1
    assert again.stacks["load"].state.core[0] == other.stacks["load"].state.core[0]
    assert (again.stacks["load"].state.ring_ms[0] == other.stacks["load"].state.ring_ms[0]).all()


async def test_a_partition_that_went_is_forgotten(store: StateStore, log: Log) -> None:
    other = new_engine()
    judge(other, 0, 30)
    store.apply_run(CHANGELOG, log.append(other))
    await store.on_recovery_completed({CHANGELOG}, set())
    await store.on_rebalance(set(), {CHANGELOG}, set())
    assert store.persisted_offset(CHANGELOG) is None
    store.apply_run(CHANGELOG, log.records)
    await store.on_recovery_completed({CHANGELOG}, set())
    assert log.read == 0
    assert len(store.engine(3).machines) == 1
