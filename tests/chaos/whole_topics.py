"""Topics read to their end, and where consumer groups stand in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, MemberToRemove
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, KafkaError

from streams.settings import Settings

_MOST_MARKERS = 1_000  # more than that behind somebody's offset are not looked at one by one


@contextmanager
def _consumer(settings: Settings, topic: str) -> Iterator[tuple[Any, list[TopicPartition]]]:
    consumer = KafkaConsumer(bootstrap_servers=settings.broker.url, fetch_max_wait_ms=50, max_poll_records=20_000)
    try:
        yield consumer, [TopicPartition(topic, number) for number in range(settings.broker.partitions)]
    finally:
        consumer.close()


def whole(settings: Settings, topic: str) -> dict[int, list[Any]]:
    """All records of a topic by partition, in the order of their offsets."""
    found: dict[int, list[Any]] = {number: [] for number in range(settings.broker.partitions)}
    with _consumer(settings, topic) as (consumer, partitions):
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(tp) < ends[tp] for tp in partitions):
            for tp, records in consumer.poll(500).items():
                found[tp.partition] += records
    return found


def ends(settings: Settings, topic: str) -> dict[int, int]:
    """The next offset of each partition of a topic."""
    with _consumer(settings, topic) as (consumer, partitions):
        return {tp.partition: offset for tp, offset in consumer.end_offsets(partitions).items()}


def is_read(settings: Settings, topic: str, offsets: dict[int, int]) -> bool:
    """Whether nothing comes behind these offsets any more: no record, that is. A claim's marker may well stand there."""
    last = ends(settings, topic)
    with _consumer(settings, topic) as (consumer, partitions):
        behind = [tp for tp in partitions if offsets[tp.partition] < last[tp.partition]]
        if any(last[tp.partition] - offsets[tp.partition] > _MOST_MARKERS for tp in behind):
            return False
        consumer.assign(behind)
        for tp in behind:
            consumer.seek(tp, offsets[tp.partition])
        while any(consumer.position(tp) < last[tp.partition] for tp in behind):
            if consumer.poll(500):
                return False
    return True


@contextmanager
def _admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(bootstrap_servers=settings.broker.url)
    try:
        yield admin
    finally:
        admin.close()


def committed(settings: Settings, group: str, topic: str) -> dict[int, int]:
    """Up to where a group has committed each partition; 0 where it has not."""
    with _admin(settings) as admin:
        try:
            found = admin.list_group_offsets([group])[group]
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError):
            found = {}  # no group has ever joined here, or the broker has only just started
    numbers = range(settings.broker.partitions)
    known = {tp.partition: one.offset for tp, one in found.items() if tp.topic == topic}
    return {number: max(0, known.get(number, 0)) for number in numbers}


def members(settings: Settings, group: str) -> list[str]:
    """Ids of those that the broker takes for members of a group."""
    with _admin(settings) as admin:
        try:
            return [member["member_id"] for member in admin.describe_groups([group])[group]["members"]]
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError):
            return []


def bury(settings: Settings, group: str, dead: list[str]) -> None:
    """Tell the broker that these members are gone, as their session's end would some seconds later."""
    if not dead:
        return
    with _admin(settings) as admin:
        try:
            admin.remove_group_members(group, [MemberToRemove(member_id=one) for one in dead])
        except KafkaError:
            return  # it knows already
