"""Quix Streams with its state store (RocksDB and a changelog topic), as its documentation shows it.

python -m bench.peers.quix_app BROKER PREFIX COUNT
"""

import logging
import sys
import tempfile
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from quixstreams import Application, State, message_context

from bench.peers.steps import Model, decode_model, decode_reading, encode, judge, machine_of, state_of


def read_models(url: str, topic: str) -> dict[tuple[str, str], Model]:
    """All models on the topic, by client and machine."""
    consumer = Consumer({"bootstrap.servers": url, "group.id": f"{topic}-models", "enable.auto.commit": False})
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    found: dict[tuple[str, str], Model] = {}
    for number in partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
        consumer.assign([TopicPartition(topic, number, low)])
        seen = low
        while seen < high:
            for message in consumer.consume(500, timeout=1.0):
                model = decode_model(message.value())
                found[model.client_id, model.machine_id] = model
                seen = message.offset() + 1
    consumer.close()
    return found


def main(url: str, prefix: str) -> None:
    """Label readings until it is ended."""
    logging.getLogger("quixstreams").setLevel(logging.WARNING)
    models = read_models(url, f"{prefix}.models")
    app = Application(
        broker_address=url,
        consumer_group=f"{prefix}-quix",
        auto_offset_reset="earliest",
        state_dir=tempfile.mkdtemp(),
        loglevel="WARNING",
    )
    readings = app.topic(f"{prefix}.readings", value_deserializer="bytes", key_deserializer="bytes")
    labels = app.topic(f"{prefix}.labels", value_serializer="bytes", key_serializer="bytes")

    def label_one(value: bytes, state: State) -> Any:
        where = message_context()
        reading = decode_reading(value)
        machine = machine_of(state.get("machine"))
        model = models.get((reading.client_id, reading.machine_id))
        label = judge(machine, model, reading, where.topic, where.partition, where.offset)
        state.set("machine", state_of(machine))
        return None if label is None else encode(label)

    frame = app.dataframe(readings).apply(label_one, stateful=True)
    frame.filter(lambda label: label is not None).to_topic(labels)
    app.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
