"""The inner names of Faust and aiokafka that are used: an upgrade that moves one fails here and not at night."""

import inspect

import aiokafka
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer import message_accumulator
from aiokafka.producer.transaction_manager import TransactionManager
from faust.tables import recovery
from faust.transport import consumer
from faust.transport.drivers import aiokafka as driver

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
        (driver.AIOKafkaConsumerThread, "_create_worker_consumer _consumer"),
        (driver.Producer, "_settings_extra on_start create_topic"),
        (AIOKafkaProducer, "create_batch send_batch _txn_manager _message_accumulator"),
        (message_accumulator.MessageAccumulator, "_batch_size _compression_type"),
        (message_accumulator.BatchBuilder, "_set_producer_state record_count"),
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


def test_the_transport_uses_our_consumer_producer_and_thread() -> None:
    assert (RunTransport.Consumer, RunTransport.Producer) == (RunConsumer, RunProducer)
    assert "AIOKafkaConsumerThread" in inspect.getsource(driver.Consumer._new_consumer_thread)
    assert issubclass(_ConsumerThread, driver.AIOKafkaConsumerThread)


def test_the_broker_s_wait_is_taken_from_the_field_that_we_set() -> None:
    source = inspect.getsource(aiokafka.AIOKafkaConsumer)
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in source, "read at the start of the consumer, after it is made"
