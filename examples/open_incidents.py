"""Which incidents are open: BROKER=kafka:9092 python examples/open_incidents.py (needs kafka-python)."""

import json
import os
from typing import Any

from kafka import KafkaConsumer, TopicPartition

BROKER, PREFIX = os.environ.get("BROKER", "localhost:9092"), os.environ.get("PREFIX", "wellsentry")

topic = f"{PREFIX}.incidents"
consumer = KafkaConsumer(bootstrap_servers=BROKER)
# No group: each copy of this program reads all partitions from their beginning, and remembers nothing.
consumer.assign([TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()])
consumer.seek_to_beginning()
open_now: dict[str, dict[str, Any]] = {}
for record in consumer:
    incident = json.loads(record.value)
    if incident["state"] == "opened":
        open_now[incident["incident_id"]] = incident  # the same again changes nothing
    else:
        open_now.pop(incident["incident_id"], None)
    print(len(open_now), "open:", *sorted(one["machine_id"] for one in open_now.values()), flush=True)
