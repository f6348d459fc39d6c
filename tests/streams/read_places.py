"""Topics that were read once, for the evidence of many labels."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from streams.reproduce.places import Enough, Message


class ReadOnce:
    """:class:`streams.reproduce.places.Places` over records by partition, in the order of their offsets."""

    def __init__(
        self,
        readings: Mapping[int, Sequence[Any]],
        labels: Mapping[int, Sequence[Any]],
        models: Mapping[int, Sequence[Any]],
    ) -> None:
        self._readings, self._labels, self._models = readings, labels, models
        self._by_offset = {(number, one.offset): one for number, some in readings.items() for one in some}
        self._by_key = [_by_key(readings), _by_key(labels)]

    def first_reading(self, partition: int) -> int:
        return int(self._readings[partition][0].offset) if self._readings[partition] else 0

    def reading(self, partition: int, offset: int) -> Message | None:
        found = self._by_offset.get((partition, offset))
        return None if found is None else _message(found)

    def readings(self, partition: int, key: bytes, first_offset: int, end_offset: int, enough: Enough) -> list[Message]:
        wanted = range(first_offset, end_offset)
        return _until(enough, (one for one in self._by_key[0][partition, key] if one.offset in wanted))

    def labels(
        self,
        partition: int,
        key: bytes | None,
        since_offset: int,  # noqa: ARG002 - all may come
        end_offset: int,  # noqa: ARG002
        enough: Enough,
    ) -> list[Message]:
        return _until(enough, self._labels[partition] if key is None else self._by_key[1][partition, key])

    def models(self, partition: int) -> list[Message]:
        return [_message(one) for one in self._models.get(partition, ())]


def _until(enough: Enough, records: Iterable[Any]) -> list[Message]:
    found = []
    for record in records:
        found.append(_message(record))
        if enough(found[-1]):
            break
    return found


def _by_key(topic: Mapping[int, Sequence[Any]]) -> dict[tuple[int, bytes], list[Any]]:
    found: dict[tuple[int, bytes], list[Any]] = defaultdict(list)
    for partition, records in topic.items():
        for record in records:
            found[partition, record.key].append(record)
    return found


def _message(record: Any) -> Message:
    return Message(record.offset, record.timestamp, record.key, record.value)
