"""Claims to partitions: the broker takes nothing of whoever had one before, and readers see nothing of it."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, NodeNotReadyError, TransactionalIdAuthorizationFailed
from kafka.admin import KafkaAdminClient, NewTopic

from schemas.errors import BrokerError
from streams.runs.claims import Claim, Claims
from streams.runs.committing import commit_offsets
from streams.runs.producing import send_run
from streams.settings import Settings
from tests.conftest import MakeSettings
from tests.topics_at_hand import Reader

PARTITIONS = 4


class App:
    """What is asked of Faust's app to send a run."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.producer = SimpleNamespace(_producer=producer)
        self.claims: dict[int, Claim] = {}
        self.told: list[int] = []

    def lose(self, partition: int, claim: Claim) -> None:
        claim.lost = True
        self.told.append(partition)


@pytest.fixture
def settings(kafka_url: str, make_settings: MakeSettings) -> Settings:
    made = make_settings(kafka_url)
    admin = KafkaAdminClient(bootstrap_servers=kafka_url)
    admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in topics(made)])
    admin.close()
    return made


@pytest.fixture
async def producer(kafka_url: str) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(bootstrap_servers=kafka_url, acks="all", enable_idempotence=True)
    await made.start()
    yield made
    await made.stop()


def topics(settings: Settings) -> list[str]:
    return [f"{settings.broker.topic_prefix}.{name}" for name in ("first", "second")]


def claims_of(settings: Settings, app: App) -> Claims:
    names = topics(settings)
    return Claims(settings.broker, settings.worker.app_id, names, app.claims, renewed_in=names[1])


def values(settings: Settings, topic: str) -> list[Any]:
    reader = Reader(settings.broker, topic)
    try:
        while reader.more() != reader.more():
            pass
        return [record.value for record in reader.records]
    finally:
        reader.close()


async def test_whoever_claimed_before_writes_nothing_any_more_to_any_topic(
    settings: Settings, producer: AIOKafkaProducer
) -> None:
    stopped, successor = App(producer), App(producer)
    first, second = topics(settings)
    await claims_of(settings, stopped).take({0: False, 1: False})
    assert await send_run(stopped, first, 0, [(b"k", b"before")] * 3) == 2  # type: ignore[arg-type]
    await claims_of(settings, successor).take({0: True})
    # Not even where the successor has written nothing yet.
    for topic in (first, second):
        stopped.claims[0].lost = False
        assert await send_run(stopped, topic, 0, [(b"k", b"behind")]) is None  # type: ignore[arg-type]
    assert stopped.told == [0, 0]
    assert await send_run(stopped, first, 1, [(b"k", b"still ours")]) == 0  # type: ignore[arg-type]
    assert await send_run(successor, first, 0, [(b"k", b"after")] * 2) == 5  # type: ignore[arg-type]
    assert await send_run(successor, first, 0, [(b"k", b"after")] * 2) == 7  # type: ignore[arg-type]
    assert sorted(values(settings, first)) == sorted([b"before"] * 3 + [b"after"] * 4 + [b"still ours"])
    assert values(settings, second) == []


async def test_a_claim_that_is_renewed_goes_on_and_a_lost_one_is_found_out(
    settings: Settings, producer: AIOKafkaProducer
) -> None:
    app, other = App(producer), App(producer)
    first, _ = topics(settings)
    claims = claims_of(settings, app)
    await claims.take({0: False, 1: False})
    assert await send_run(app, first, 0, [(b"k", b"1")]) == 0  # type: ignore[arg-type]
    await claims.renew()
    assert await send_run(app, first, 0, [(b"k", b"2")]) == 1  # type: ignore[arg-type]
    await claims_of(settings, other).take({0: True})
    await claims.renew()
    assert [claim.holds for claim in app.claims.values()] == [False, True]


async def test_what_is_late_is_not_sent_by_a_claim_that_has_ended(
    settings: Settings, producer: AIOKafkaProducer
) -> None:
    app = App(producer)
    first, _ = topics(settings)
    claims = claims_of(settings, app)
    await claims.take({0: False, 1: False})
    await claims.take({1: True})
    with pytest.raises(BrokerError, match="was given up"):
        await send_run(app, first, 0, [(b"k", b"late")])  # type: ignore[arg-type]
    assert await send_run(app, first, 1, [(b"k", b"ours")]) == 1  # type: ignore[arg-type]
    assert values(settings, first) == [b"ours"]


async def test_nothing_is_committed_of_a_partition_whose_claim_is_lost() -> None:
    from aiokafka import TopicPartition

    asked: list[Any] = []

    async def commit(offsets: Any) -> bool:
        asked.append(offsets)
        return True

    ours = {TopicPartition("readings", 0), TopicPartition("readings", 1)}
    claims = {0: Claim(1, 1), 1: Claim(2, 1)}
    claims[0].lost = True
    app: Any = SimpleNamespace(
        claims=claims, committed={}, consumer=SimpleNamespace(assignment=lambda: ours, _commit=commit)
    )
    assert await commit_offsets(app, dict.fromkeys(ours, 7))
    assert asked == [{TopicPartition("readings", 1): 7}]


async def test_a_broker_that_cannot_be_asked_is_named_with_the_partition(make_settings: MakeSettings) -> None:
    settings = make_settings("127.0.0.1:9")
    with pytest.raises(BrokerError, match=r"partition 3 cannot be claimed on 127.0.0.1:9.*docs/security.md"):
        await Claims(settings.broker, "some", ["t"], {}, renewed_in="t").take({3: True})


class OverANetwork(Claims):
    """Claims of which each try fails as ``tries`` says, until one gives a claim."""

    def __init__(self, settings: Settings, tries: list[Exception | Claim]) -> None:
        super().__init__(settings.broker, "test", ("labels",), held={}, renewed_in="status")
        self.tries = tries

    async def _transaction(self, *_: Any) -> Claim:
        one = self.tries.pop(0)
        if isinstance(one, Exception):
            raise one
        return one


def wrapped(cause: KafkaError) -> KafkaError:
    """An error as aiokafka's producer raises it."""
    error = KafkaError(repr(cause))
    error.__cause__ = cause
    return error


async def test_a_claim_is_tried_again_where_the_connection_broke(make_settings: MakeSettings) -> None:
    claim = Claim(producer_id=7, epoch=3)
    claims = OverANetwork(make_settings(), [wrapped(KafkaConnectionError("closed")), NodeNotReadyError(), claim])
    await claims.take({0: False})
    assert claims._held == {0: claim}


async def test_a_claim_that_the_broker_refuses_is_not_tried_again(make_settings: MakeSettings) -> None:
    claims = OverANetwork(make_settings(), [wrapped(TransactionalIdAuthorizationFailed()), Claim(7, 3)])
    with pytest.raises(BrokerError, match="partition 0 cannot be claimed"):
        await claims.take({0: False})
