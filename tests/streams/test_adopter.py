"""Whose models have their turn: a few now and then while readings flow, all at once where many wait or nobody does."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from streams.runs.run import Run
from streams.worker import adopter
from streams.worker.adopter import Adopter
from streams.worker.partition import Partition
from tests.models.engines import as_published, model, new_engine

TP = TopicPartition("models", 0)


class Written:
    """A changelog that is durable at once."""

    async def write(self, _: int, make: Callable[[], Any]) -> None:
        make()


async def adopted(count: int, flows: bool, monkeypatch: pytest.MonkeyPatch) -> Adopter:
    """An adopter once so many models, each of another machine, are in force."""
    committed = asyncio.Event()

    async def commit(*_: Any) -> None:
        committed.set()

    monkeypatch.setattr(adopter, "commit_offsets", commit)
    partition = Partition(new_engine(), cast(Any, SimpleNamespace(why_no_room=lambda *_: None)))
    one = Adopter(
        cast(Any, None),
        cast(Any, Written()),
        lambda _: partition,
        lambda _: None,
        lambda _: flows,
        interval_s=60.0,
        tell=pytest.fail,
    )
    updates = [as_published(model(f"well-{number}", centre=float(number))) for number in range(count)]
    records = [
        SimpleNamespace(topic=TP.topic, partition=0, offset=at, key=update.key, value=update.model_dump_json().encode())
        for at, update in enumerate(updates)
    ]
    at_work = asyncio.create_task(one.adopt_models())
    await one.take_in(Run(TP, records, 1), lambda _: True)
    await asyncio.wait_for(committed.wait(), 60.0)
    await asyncio.sleep(0)
    at_work.cancel()
    assert one.adopted["own"] == count
    return one


@pytest.mark.parametrize(
    ("count", "flows", "waits"),
    [
        pytest.param(40, True, True, id="a few, while readings flow"),
        pytest.param(40, False, False, id="a few, before readings flow"),
        pytest.param(150, True, False, id="many"),
    ],
)
def test_further_models_wait_for_their_turn_where_readings_flow_and_few_came(
    count: int, flows: bool, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_early() -> bool:
        return (await adopted(count, flows, monkeypatch)).is_early(TP)

    assert asyncio.run(is_early()) is waits


def test_models_of_another_partition_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_early() -> bool:
        return (await adopted(3, True, monkeypatch)).is_early(TopicPartition("models", 1))

    assert asyncio.run(is_early()) is False
