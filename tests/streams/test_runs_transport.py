"""The inner names of Faust and aiokafka that are used: an upgrade that moves one fails here and not at night."""

import inspect
from types import SimpleNamespace
from typing import Any

import aiokafka
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer import fetcher
from aiokafka.producer import message_accumulator
from aiokafka.producer.transaction_manager import TransactionManager
from faust.tables import manager, recovery
from faust.transport import consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.runs.transport import RunConsumer, RunProducer, RunTransport, _ConsumerThread


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (
            consumer.Consumer,
            "_drain_messages _get_active_partitions _is_changelog_tp wait_first perform_seek resume_partitions resume_flow "
            "stop_flow on_partitions_revoked _commit _committed_offset suspend_flow",
        ),
        (driver.Consumer, "_getmany _new_consumer_thread consumer_stopped_errors create_topic"),
        (driver.AIOKafkaConsumerThread, "_create_worker_consumer on_start _consumer"),
        (driver.Producer, "_settings_extra on_start create_topic"),
        (AIOKafkaProducer, "create_batch send_batch _txn_manager _message_accumulator"),
        (message_accumulator.MessageAccumulator, "_batch_size _compression_type _batches"),
        (message_accumulator.MessageBatch, "_ctime expired"),
        (AIOKafkaClient, "force_metadata_update send"),
        (message_accumulator.BatchBuilder, "_set_producer_state record_count _builder _relative_offset"),
        (TransactionManager, "maybe_add_partition_to_txn set_pid_and_epoch producer_id producer_epoch"),
        (recovery.Recovery, "tp_to_table"),
    ],
    ids=lambda one: getattr(one, "__module__", ""),
)
def test_what_we_reach_into_is_still_there(owner: type, names: str) -> None:
    source = inspect.getsource(owner)
    missing = [name for name in names.split() if not hasattr(owner, name) and f"self.{name}" not in source]
    assert missing == []


def test_a_batch_is_told_whose_it_is_by_the_method_that_a_claim_s_batch_changes() -> None:
    source = inspect.getsource(message_accumulator.MessageBatch.set_producer_state)
    assert "self._builder._set_producer_state(" in source


def test_a_request_is_put_together_where_we_hand_over_pieces() -> None:
    source = inspect.getsource(AIOKafkaConnection.send)
    for line in ("header.encode() + request_struct.encode()", "len(message)", "self._writer.write(size + message)"):
        assert source.count(line) == 1, line
    assert source.count("message") == 3, "nothing else is done with it"


def test_the_transport_uses_our_consumer_producer_and_thread() -> None:
    assert (RunTransport.Consumer, RunTransport.Producer) == (RunConsumer, RunProducer)
    assert "AIOKafkaConsumerThread" in inspect.getsource(driver.Consumer._new_consumer_thread)
    assert issubclass(_ConsumerThread, driver.AIOKafkaConsumerThread)


def test_what_is_fetched_waits_where_we_take_it_in_batches() -> None:
    for name in ("self._records[tp] = FetchResult(", "type(res_or_error) is FetchResult", "del self._records[tp]"):
        assert name in inspect.getsource(fetcher.Fetcher), name
    source = inspect.getsource(fetcher.FetchResult)
    assert "for msg in self._partition_records" in source
    assert "self._partition_records.next_fetch_offset" in source
    assert "await self._consumer.start()" in inspect.getsource(driver.AIOKafkaConsumerThread.on_start)


def test_tables_start_as_in_faust_but_for_the_sleep() -> None:
    there = inspect.getsource(manager.TableManager.on_start).splitlines()
    assert [line.strip() for line in there[2:]] == [
        "await self.sleep(1.0)",
        "if not self.should_stop:",
        "await self._update_channels()",
        "await self.recovery.start()",
    ]


def test_the_broker_s_wait_is_taken_from_the_field_that_we_set() -> None:
    source = inspect.getsource(aiokafka.AIOKafkaConsumer)
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in source, "read at the start of the consumer, after it is made"


def test_a_partition_that_begins_gently_begins_with_small_runs_and_then_comes_whole() -> None:
    consumer_of = RunConsumer.__new__(RunConsumer)
    consumer_of.app = SimpleNamespace(
        begin_gently=frozenset({"readings"}), tables=SimpleNamespace(changelog_topics={"changelog"})
    )
    consumer_of._begun = set()
    records: list[Any] = list(range(250))
    readings, models = TP("readings", 0), TP("models", 0)
    assert consumer_of._runs_of(readings, []) == []
    assert [len(run) for run in consumer_of._runs_of(readings, records)] == [100, 100, 50]
    assert consumer_of._runs_of(readings, records) == [records]
    assert consumer_of._runs_of(models, records) == [records]
    assert consumer_of._runs_of(models, []) == []
    assert [len(run) for run in consumer_of._runs_of(readings, list(range(9_000)))] == [4_000, 4_000, 1_000]
    assert [len(run) for run in consumer_of._runs_of(TP("changelog", 0), list(range(9_000)))] == [9_000]
