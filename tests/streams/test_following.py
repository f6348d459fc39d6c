"""What follows labels: in order, together where it waited, and bounded."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from schemas.topics import Topics
from schemas.topics import topics as declare
from streams.runs.producing import Record
from streams.worker.following import Following, Taken
from streams.worker.partition import Output


class Broker:
    """Takes records once it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, list[Record]]] = []
        self.answers = asyncio.Event()

    async def send(self, topic: str, number: int, records: list[Record]) -> None:
        self.sent.append((topic, number, records))
        await self.answers.wait()


@pytest.fixture
def topics() -> Topics:
    return declare("test")


@contextlib.asynccontextmanager
async def following(broker: Broker, topics: Topics) -> AsyncIterator[Following]:
    one = Following(broker.send, topics)
    task = asyncio.ensure_future(one.send_all())
    try:
        yield one
    finally:
        task.cancel()


def status(number: int, *values: bytes) -> Taken:
    return number, Output(), [(b"well-1", value) for value in values]


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_comes_while_something_is_under_way_is_sent_together_behind_it(topics: Topics) -> None:
    broker = Broker()
    async with following(broker, topics) as one:
        first = one.put([status(0, b"1")])
        await turn()
        second, third = one.put([status(0, b"2")]), one.put([status(0, b"3"), status(1, b"4")])
        await turn()
        assert [records for _, _, records in broker.sent] == [[(b"well-1", b"1")]]
        assert not first.done()
        broker.answers.set()
        await asyncio.gather(first, second, third)
    name = topics.status.name
    assert broker.sent[1:] == [
        (name, 0, [(b"well-1", b"2"), (b"well-1", b"3")]),
        (name, 1, [(b"well-1", b"4")]),
    ]


async def test_labels_that_nothing_follows_wait_for_what_followed_those_before(topics: Topics) -> None:
    broker = Broker()
    async with following(broker, topics) as one:
        assert one.put([(0, Output(), [])]).done()
        first = one.put([status(0, b"1")])
        await turn()
        behind = one.put([(0, Output(), [])])
        assert not behind.done()
        broker.answers.set()
        await asyncio.gather(first, behind)


async def test_a_slow_broker_holds_back_who_puts_more(topics: Topics) -> None:
    broker = Broker()
    async with following(broker, topics) as one:
        one.put([status(0, b"1")])
        await turn()
        one.put([(0, Output(rejected=[(None, b"x" * 6_000_000)] * 2), [])])
        waiting = asyncio.ensure_future(one.room())
        await turn()
        assert not waiting.done()
        broker.answers.set()
        await waiting
