"""The worker's table store over rebalances: what is part of an engine is not read back twice, and nothing is missed."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faust.types import TP

from schemas.errors import StateError
from streams.runs.producing import send_run
from streams.worker.store import StateStore
from tests.models.engines import R, new_engine, run

CHANGELOG = TP("changelog", 0)


class Record(NamedTuple):
    offset: int
    key: Any
    value: Any
    topic: str = "changelog"
    partition: int = 0


class App:
    """What a store asks of Faust."""

    def __init__(self) -> None:
        self.end = 0  # of the changelog
        self.crashes: list[BaseException] = []
        self.revoked: list[TP] = []
        self.consumer = self
        self.tables = SimpleNamespace(recovery=SimpleNamespace(revoke=self.revoked.append))

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        return dict.fromkeys(tps, self.end)

    async def crash(self, error: BaseException) -> None:
        self.crashes.append(error)


def new_store(app: App) -> StateStore:
    return StateStore("wellsentry://", app, SimpleNamespace(name="state"), options={"machines": new_engine().machines})


def judged(readings: int) -> tuple[Any, list[Record]]:
    """An engine that has judged, and its changelog."""
    engine = new_engine()
    run(engine, [R(float(minute), 300.0 + minute % 7, 200.0) for minute in range(readings)])
    return engine, [Record(offset, key, value) for offset, (key, value) in enumerate(engine.records([("load", 0)], []))]


async def restored(app: App, store: StateStore, records: list[Record]) -> None:
    """What Faust's recovery does after a rebalance."""
    app.end = records[-1].offset + 1
    await store.on_rebalance({CHANGELOG}, set(), {CHANGELOG})
    store.apply_run(CHANGELOG, records)
    await store.on_recovery_completed({CHANGELOG}, set())


async def test_a_record_that_is_part_of_the_state_already_is_not_read_back_again() -> None:
    app = App()
    store = new_store(app)
    engine, records = judged(200)
    await restored(app, store, records)
    before = [label.median for label in run(store.engine(0), [R(300.0, 310.0, 200.0)], 300)]
    await restored(app, store, records[-1:])  # recovery begins at the last offset that is known
    assert store.persisted_offset(CHANGELOG) == records[-1].offset
    after = [label.median for label in run(store.engine(0), [R(301.0, 310.0, 200.0)], 301)]
    expected = [run(engine, [R(minute, 310.0, 200.0)], int(minute))[0].median for minute in (300.0, 301.0)]
    assert [*before, *after] == expected
    assert app.crashes == []


async def test_a_partition_that_somebody_else_had_meanwhile_is_read_back_whole() -> None:
    app = App()
    store = new_store(app)
    _, records = judged(40)
    await restored(app, store, records)
    app.end = records[-1].offset + 7
    await store.on_rebalance({CHANGELOG}, set(), set())
    assert store.persisted_offset(CHANGELOG) is None
    assert app.revoked == [CHANGELOG]
    assert store.engine(0).slots == {}
    assert store.machines.names == []


async def test_records_that_appear_behind_a_partition_that_was_kept_are_an_error_and_not_read_into_it() -> None:
    app = App()
    store = new_store(app)
    _, records = judged(40)
    await restored(app, store, records)
    with pytest.raises(StateError, match="has not written"):
        store.apply_run(CHANGELOG, [records[-1]._replace(offset=99)])


async def test_state_that_cannot_be_read_back_ends_the_worker() -> None:
    app = App()
    store = new_store(app)
    _, records = judged(40)
    await store.on_rebalance({CHANGELOG}, set(), {CHANGELOG})
    store.apply_run(CHANGELOG, records)
    store.engine(0).finish_restore = lambda: (_ for _ in ()).throw(StateError("a model is missing"))  # type: ignore
    with pytest.raises(StateError):
        await store.on_recovery_completed({CHANGELOG}, set())
    assert [str(error) for error in app.crashes] == ["a model is missing"]


async def test_nothing_is_judged_from_a_hand_over_to_the_next_recovery() -> None:
    app = App()
    store = new_store(app)
    _, records = judged(40)
    await restored(app, store, records)
    assert store.is_back(0)
    store.hand_over()
    assert not store.is_back(0), "a run that an agent still holds would be judged by an engine that is about to go"
    await restored(app, store, records)
    assert store.is_back(0)


async def test_a_recovery_that_ends_behind_a_hand_over_counts_for_nothing() -> None:
    app = App()
    store = new_store(app)
    _, records = judged(40)
    await restored(app, store, records)
    store.hand_over()
    await store.on_recovery_completed({CHANGELOG}, set())
    assert not store.is_back(0), "it was the recovery of what has been given up"


async def test_what_our_own_claim_adds_to_a_changelog_is_not_taken_for_somebody_else_s() -> None:
    app = App()
    store = new_store(app)
    _, records = judged(40)
    await restored(app, store, records)
    engine = store.engine(0)
    app.end += 2  # a marker and our own record
    store.claimed(CHANGELOG, 2)
    await store.on_rebalance({CHANGELOG}, set(), set())
    assert store.engine(0) is engine
    assert store.persisted_offset(CHANGELOG) == app.end - 1
    app.end += 4  # another had claimed it in between
    store.claimed(CHANGELOG, 2)
    await store.on_rebalance({CHANGELOG}, set(), set())
    assert store.persisted_offset(CHANGELOG) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b"\x04"),
        (b"", b"\x04"),
        (b"no such key", b"\x04"),
        (b"a\x1f\xff\x1fload\x1fh", b"\x04"),
        (b"acme\x1fwell-1\x1fload\x1fh", b"\xff garbage"),
        (b"acme\x1fwell-1\x1fload\x1fh", b"\x01of another layout"),
    ],
)
async def test_what_is_no_state_record_is_named_with_its_place_and_what_to_do(key: bytes | None, value: bytes) -> None:
    store = new_store(App())
    with pytest.raises(StateError, match=r"changelog/0/5 is no state record of this version.*stop all workers"):
        store.apply_run(CHANGELOG, [Record(5, key, value)])


async def test_a_run_that_was_sent_tells_the_offset_of_its_last_record(kafka_url: str, unique_prefix: str) -> None:
    topic = f"{unique_prefix}.run"
    _create(kafka_url, topic)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_url, max_batch_size=20_000, acks="all")
    await producer.start()
    app: Any = SimpleNamespace(producer=SimpleNamespace(_producer=producer), claims={})
    try:
        small = [(b"k", b"v" * 100)] * 50
        assert await send_run(app, topic, 0, []) is None
        assert await send_run(app, topic, 0, small) == 49
        assert await send_run(app, topic, 0, [*small, (b"k", b"v" * 30_000), *small * 8]) == 500
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_url)
    await consumer.start()
    assert await consumer.end_offsets([TopicPartition(topic, 0)]) == {TopicPartition(topic, 0): 501}
    await consumer.stop()


def _create(url: str, topic: str) -> None:
    from kafka.admin import KafkaAdminClient, NewTopic

    admin = KafkaAdminClient(bootstrap_servers=url)
    admin.create_topics([NewTopic(topic, 1, 1)])
    admin.close()


async def test_a_partition_that_goes_takes_its_machines_with_it_and_the_others_keep_theirs() -> None:
    app = App()
    store = new_store(app)
    other = TP("changelog", 1)
    _, records = judged(40)
    app.end = records[-1].offset + 1
    await store.on_rebalance({CHANGELOG, other}, set(), {CHANGELOG, other})
    for tp in (CHANGELOG, other):
        store.apply_run(tp, [record._replace(partition=tp.partition) for record in records])
    await store.on_recovery_completed({CHANGELOG, other}, set())
    kept = store.engine(1)
    assert [name.partition for name in store.machines.names] == [0, 1]
    await store.on_rebalance({other}, {CHANGELOG}, set())
    assert store.engine(1) is kept
    assert [name.partition for name in store.machines.names] == [1]
    assert list(kept.slots.values()) == [0]
