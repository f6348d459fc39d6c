"""A producer without a broker: what waits is not given up, and nobody is asked without pause."""

import asyncio
from types import SimpleNamespace

from aiokafka.errors import LeaderNotAvailableError
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.structs import TopicPartition

from streams.runs.broker_gone import PausingMetadata

_TP = TopicPartition("labels", 0)
_GIVEN_UP_AFTER_S = 0.3


class Broker:
    """Answers, or does not, after a moment; counts how often it was asked."""

    def __init__(self, *, there: bool) -> None:
        self.there, self.asked = there, 0

    def __call__(self) -> "asyncio.Future[bool]":
        self.asked += 1
        return asyncio.ensure_future(asyncio.sleep(0.0, self.there))


def waiting() -> MessageAccumulator:
    """One batch that waits for a partition without a leader."""
    cluster = SimpleNamespace(leader_for_partition=lambda _: -1)
    accumulator = MessageAccumulator(cluster, 16_384, 0, _GIVEN_UP_AFTER_S)
    builder = accumulator.create_builder()
    builder.append(timestamp=None, key=b"well-1", value=b"{}")
    accumulator._append_batch(builder, _TP)
    return accumulator


def asking(broker: Broker, accumulator: MessageAccumulator) -> PausingMetadata:
    """What a producer of ours asks."""
    return PausingMetadata(broker, lambda: accumulator._batches[_TP])


async def ask_for(seconds: float, ask: PausingMetadata, accumulator: MessageAccumulator) -> None:
    """What a sender does while it knows no leader."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        accumulator.drain_by_nodes(ignore_nodes=())
        await ask()


async def test_a_batch_is_not_given_up_while_no_broker_answers() -> None:
    accumulator = waiting()
    [batch] = accumulator._batches[_TP]
    await ask_for(4 * _GIVEN_UP_AFTER_S, asking(Broker(there=False), accumulator), accumulator)
    assert not batch.future.done()
    assert list(accumulator._batches[_TP]) == [batch]


async def test_a_batch_is_given_up_where_a_broker_answers_and_its_partition_has_no_leader() -> None:
    accumulator = waiting()
    [batch] = accumulator._batches[_TP]
    await ask_for(3 * _GIVEN_UP_AFTER_S, asking(Broker(there=True), accumulator), accumulator)
    assert isinstance(batch.future.exception(), LeaderNotAvailableError)


async def test_all_who_ask_at_once_get_the_answer_to_one_question_and_the_next_comes_after_a_pause() -> None:
    broker = Broker(there=True)
    ask = PausingMetadata(broker, list)
    assert await asyncio.gather(*(ask() for _ in range(50))) == [True] * 50
    assert broker.asked == 1
    await ask_for(0.35, ask, waiting())
    assert 3 <= broker.asked <= 5
