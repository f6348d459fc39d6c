"""Labels a second of one sink process into DynamoDB Local, write units of a label, and what reading back takes.

    python -m bench.sink [--steps 120] [--machines 5000] [--step-s 60] [--linger-s S] [--profile FILE] [--json FILE]

``--steps`` labels of each machine, ``--step-s`` of event time apart, are in Kafka before the sink starts. The clock runs from
the moment it has its partitions until the offset of the last of them is committed. Then a bare writer puts the very items
that the sink made into another table: what it gets is DynamoDB Local's own limit, and tells the write units. The naive
writer puts each label as an item of its own, a label's fields as the item's attributes.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from bench.contenders import PARTITIONS
from bench.fleet import Message, create_topics, send_all
from bench.made_labels import START_S, labels
from schemas.times import iso
from streams.label_store import LabelStore
from streams.label_store.attributes import Item
from streams.label_store.table import ensure_table
from streams.parts.dynamodb_jars import DynamoJars
from streams.parts.kafka_jars import KafkaJars
from streams.settings import DynamoSettings

_LOOK_EVERY_S = 0.05
_WITHIN_S = 240.0
_WRITERS = 4
_BATCH = 25
_NAIVE = 20_000
_HOUR_MS = 3_600_000
_CLOSING = iso((START_S + 86_400) * 1000)
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Fill the topic, run the sink, then the others, and say what each gave."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--step-s", type=int, default=60)
    parser.add_argument("--linger-s", type=float, help="of the sink; else its default")
    parser.add_argument("--profile", type=Path, help="where py-spy, if it is installed, writes what the sink did")
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    with KafkaJars() as kafka, DynamoJars() as dynamo:
        prefix = f"bench-{uuid.uuid4().hex[:8]}"
        create_topics(kafka.url, prefix, PARTITIONS)
        sample: list[bytes] = []
        made = _keeping(labels(options.steps, options.machines, PARTITIONS, options.step_s), sample)
        send_all(kafka.url, f"{prefix}.labels", made)
        figures = _sink(kafka.url, dynamo, prefix, options)
        client = _client(dynamo.url)
        # Those of the last step, a day later, are what the sink had to write because it was told to end.
        items = [item for item in _items(client, f"{prefix}-labels") if item["minute"]["S"] < _CLOSING]
        figures |= _bare(client, f"{prefix}-bare", items, options.steps * options.machines)
        figures |= _naive(client, f"{prefix}-naive", sample)
        figures |= _an_hour(client, dynamo.url, prefix, json.loads(sample[0])["machine_id"])
        client.close()
    figures["write_units_saved_times"] = figures["labels_per_unit"] * figures["naive_units_per_label"]
    for name, value in figures.items():
        print(f"  {name:32} {value:12,.2f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def _keeping(messages: Iterator[Message], sample: list[bytes]) -> Iterator[Message]:
    """``messages``, of which the latest ones are kept for the naive writer."""
    for at, message in enumerate(messages):
        if at % 10 == 0 and len(sample) < _NAIVE:
            sample.append(message[2])
        yield message


# -- the sink


def _sink(url: str, dynamo: DynamoJars, prefix: str, options: argparse.Namespace) -> dict[str, float]:
    count = options.steps * options.machines
    group = f"{prefix}-sink"
    lingering = {} if options.linger_s is None else {"WELLSENTRY_SINK__LINGER_S": str(options.linger_s)}
    environment = {
        **os.environ,
        "WELLSENTRY_BROKER__URL": url,
        "WELLSENTRY_BROKER__TOPIC_PREFIX": prefix,
        "WELLSENTRY_BROKER__PARTITIONS": str(PARTITIONS),
        "WELLSENTRY_SINK__APP_ID": group,
        "WELLSENTRY_DYNAMODB__ENDPOINT": dynamo.url,
        "WELLSENTRY_DYNAMODB__TABLE": f"{prefix}-labels",
        "WELLSENTRY_DYNAMODB__ACCESS_KEY_ID": "local",
        "WELLSENTRY_DYNAMODB__SECRET_ACCESS_KEY": "local",
        "WELLSENTRY_DYNAMODB__TTL_DAYS": "3650",
        **lingering,
    }
    process = subprocess.Popen([sys.executable, "-m", "streams.cli.main", "sink"], env=environment)
    database = _youngest(dynamo.pid or 0)
    with contextlib.ExitStack() as at_the_end:
        at_the_end.callback(process.wait, 60)
        at_the_end.callback(process.terminate)
        _wait_for_partitions(url, group)
        began, before = time.monotonic(), (_cpu_s(process.pid), _cpu_s(database))
        if options.profile:
            command = ["py-spy", "record", "-d", "20", "-r", "200", "-f", "raw", "-t", "-o", str(options.profile)]
            at_the_end.callback(subprocess.Popen([*command, "-p", str(process.pid)]).wait)
        _wait_for_commit(url, group, f"{prefix}.labels", count, process)
        took_s = time.monotonic() - began
        used, database_used = _cpu_s(process.pid) - before[0], _cpu_s(database) - before[1]
        memory_mb = _peak_mb(process.pid)
        asked = time.monotonic()
    return {
        "labels": count,
        "labels_per_s": count / took_s,
        "sink_cores": used / took_s,
        "sink_us_per_label": used / count * 1e6,
        "dynamodb_local_cores": database_used / took_s,
        "sink_peak_mb": memory_mb,
        "ended_after_sigterm_s": time.monotonic() - asked,
    }


def _wait_for_partitions(url: str, group: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=url)
    deadline = time.monotonic() + _WITHIN_S
    while not _is_stable(admin, group):
        if time.monotonic() > deadline:
            raise SystemExit("the sink got no partitions")
        time.sleep(_LOOK_EVERY_S)
    admin.close()


def _is_stable(admin: KafkaAdminClient, group: str) -> bool:
    try:
        return "Stable" in str(admin.describe_groups([group]))
    except KafkaError:  # there is no coordinator yet
        return False


def _wait_for_commit(url: str, group: str, topic: str, count: int, process: subprocess.Popen[bytes]) -> None:
    consumer = KafkaConsumer(bootstrap_servers=url, group_id=group, enable_auto_commit=False)
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    deadline = time.monotonic() + _WITHIN_S
    while (done := sum(consumer.committed(tp) or 0 for tp in partitions)) < count:
        if time.monotonic() > deadline or process.poll() is not None:
            raise SystemExit(f"only {done:,} of {count:,} labels committed")
        time.sleep(_LOOK_EVERY_S)
    consumer.close(autocommit=False)


def _youngest(pid: int) -> int:
    """The process that a guard runs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[-1]) if children else pid


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))


# -- the others


def _client(url: str) -> Any:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    return boto3.session.Session().client("dynamodb", endpoint_url=url, **keys)


def _items(client: Any, table: str) -> Iterator[Item]:
    for page in client.get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


def _bare(client: Any, table: str, items: Sequence[Item], count: int) -> dict[str, float]:
    took_s, write_units = _put_all(client, table, items)
    return {
        "items": len(items),
        "labels_per_item": count / len(items),
        "labels_per_unit": count / write_units,
        "bare_writer_labels_per_s": count / took_s,
        "bare_writer_items_per_s": len(items) / took_s,
    }


def _naive(client: Any, table: str, sample: Sequence[bytes]) -> dict[str, float]:
    attributes = TypeSerializer().serialize
    items: list[Item] = []
    for line in sample:
        label = json.loads(line, parse_float=Decimal)
        item = {name: attributes(value) for name, value in label.items()}
        item["machine"] = {"S": f"{label['client_id']}/{label['machine_id']}"}
        item["minute"] = {"S": f"{label['event_time']}#{label['label_id']}"}
        items.append(item)
    took_s, write_units = _put_all(client, table, items)
    return {"naive_units_per_label": write_units / len(items), "naive_labels_per_s": len(items) / took_s}


def _put_all(client: Any, table: str, items: Sequence[Item]) -> tuple[float, float]:
    """Seconds and write units that putting ``items`` took, as many requests at a time as the sink has writers."""
    ensure_table(client, table)
    requests = [[{"PutRequest": {"Item": item}} for item in some] for some in _cut(items)]

    def put(batch: Sequence[Any]) -> float:
        answer = client.batch_write_item(RequestItems={table: batch}, ReturnConsumedCapacity="TOTAL")
        if answer.get("UnprocessedItems"):
            raise SystemExit("DynamoDB Local did not take all items")
        return sum(float(used["CapacityUnits"]) for used in answer["ConsumedCapacity"])

    with ThreadPoolExecutor(_WRITERS) as pool:
        began = time.monotonic()
        write_units = sum(pool.map(put, requests))
        return time.monotonic() - began, write_units


def _cut(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[at : at + _BATCH] for at in range(0, len(items), _BATCH))


def _an_hour(client: Any, url: str, prefix: str, machine: str) -> dict[str, float]:
    """What a query of a machine's hour reads and takes, from the sink's table and from the naive one."""
    settings = DynamoSettings(endpoint=url, table=f"{prefix}-labels", access_key_id="local", secret_access_key="local")  # type: ignore[call-arg]
    with LabelStore(settings) as store:
        store.newest("bench", machine)  # connects
        began = time.perf_counter()
        found = len(list(store.read("bench", machine, START_S * 1000, START_S * 1000 + _HOUR_MS)))
        took_ms = (time.perf_counter() - began) * 1000
    read_units = {}
    for table in ("labels", "naive"):
        answer = client.query(
            TableName=f"{prefix}-{table}",
            KeyConditionExpression="machine = :machine AND #minute BETWEEN :first AND :last",
            ExpressionAttributeNames={"#minute": "minute"},
            ExpressionAttributeValues={
                ":machine": {"S": f"bench/{machine}"},
                ":first": {"S": "2026-11-24T02:00"},
                ":last": {"S": "2026-11-24T02:59$"},
            },
            ConsistentRead=True,
            ReturnConsumedCapacity="TOTAL",
        )
        read_units[table] = float(answer["ConsumedCapacity"]["CapacityUnits"]), answer["Count"]
    naive_units, naive_labels = read_units["naive"]
    return {
        "hour_labels": found,
        "hour_items": read_units["labels"][1],
        "hour_read_units": read_units["labels"][0],
        "hour_ms": took_ms,
        "hour_naive_read_units": naive_units / max(naive_labels, 1) * found,
    }


if __name__ == "__main__":
    main()
