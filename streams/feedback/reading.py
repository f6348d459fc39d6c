"""Records of the feedback topic to what was said."""

from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import TopicPartition

from schemas.feedback import Feedback
from streams.feedback.places import home_of
from streams.log import get_logger
from streams.partitions import partition_of

log = get_logger(__name__)

#: No honest one is longer: 2,000 characters of text, and the names.
_MOST_BYTES = 65_536


def read_feedback(
    tp: TopicPartition, records: Sequence[Any], partitions: int, tell: Callable[..., None] = log.warning
) -> list[tuple[int, Feedback]]:
    """What was said in records of ``tp``, each with its offset. What is no feedback, or is not where its machine is, is told
    and left out. ``partitions``: how many the topic has.
    """
    found = []
    for record in records:
        try:
            found.append((int(record.offset), read_one(tp, record, partitions)))
        except ValueError as error:
            tell(
                "not feedback, left out",
                action="feedback_refused",
                topic=tp.topic,
                partition=tp.partition,
                offset=record.offset,
                detail=str(error)[:300],
            )
    return found


def read_one(tp: TopicPartition, record: Any, partitions: int) -> Feedback:
    """What was said in a record of ``tp``. Raises :class:`ValueError` for what is no feedback or not where its machine is."""
    value = record.value or b""
    if len(value) > _MOST_BYTES:
        raise ValueError(f"it has {len(value)} bytes, more than {_MOST_BYTES}")
    said = Feedback.model_validate_json(value)
    if record.key != said.machine_id.encode():
        raise ValueError(f"the key is {record.key!r:.100}, the machine {said.machine_id!r}")
    if tp.partition not in (home_of(said, partitions), partition_of(said.machine_id, partitions)):
        raise ValueError(
            f"machine {said.machine_id!r} has partition {home_of(said, partitions)}, it came on {tp.partition}"
        )
    return said
