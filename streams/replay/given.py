"""Labels that were given, found on their topic by the readings that made them."""

from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Final, NamedTuple

from aiokafka import TopicPartition

from streams.reading_ranges import Range, RangeReader, Ranges
from streams.replay.lines import FirstCopies, id_of, parse_id, read_head
from streams.replay.steps import Then
from streams.runs.run import MAX_RUN
from streams.settings import BrokerSettings

#: Looking for a place needs a few labels of it only.
_PEEK_BYTES: Final = 65_536
_PEEK_OFFSETS: Final = 2_000


class Given(NamedTuple):
    """A label as it was given, and the offset of the reading that made it."""

    partition: int
    cause: int
    key: bytes
    line: bytes


def finder(broker: BrokerSettings) -> RangeReader:
    """A reader for :func:`find_labels`: it fetches little at a time."""
    return RangeReader(broker, _PEEK_BYTES)


async def find_labels(
    reader: RangeReader, whole: Ranges, readings: Mapping[int, Range], stacks: int
) -> dict[TopicPartition, Range]:
    """Where among the ``whole`` of the labels those are that ``readings`` of each partition made; somewhat more than that.

    Labels of a partition come in the order of their readings, run by run: each stack's of a run, one stack behind the
    other. So a place is found by halving, and then some runs are added on both sides.
    """
    margin = 2 * MAX_RUN * stacks
    begins = await _places(reader, whole, {tp: readings[tp.partition].first_offset for tp in whole})
    ends = await _places(reader, whole, {tp: readings[tp.partition].end_offset for tp in whole})
    return {
        tp: Range(max(one.first_offset, begins[tp] - margin), min(one.end_offset, ends[tp] + margin))
        for tp, one in whole.items()
    }


async def _places(
    reader: RangeReader, whole: Ranges, wanted: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """By partition an offset of the topic with labels of earlier readings than ``wanted`` before it, and others behind it."""
    low = {tp: one.first_offset for tp, one in whole.items()}
    high = {tp: one.end_offset for tp, one in whole.items()}
    looked_at = [dict(low), {tp: end - 1 for tp, end in high.items()}]  # most often all is wanted
    while open_ := [tp for tp in whole if low[tp] < high[tp]]:
        places = looked_at.pop(0) if looked_at else {tp: (low[tp] + high[tp]) // 2 for tp in open_}
        at = {tp: min(max(places[tp], low[tp]), high[tp] - 1) for tp in open_}
        for tp, is_before in (await _are_before(reader, whole, at, wanted)).items():
            if is_before:
                low[tp] = at[tp] + 1
            else:
                high[tp] = at[tp]
    return low


async def _are_before(
    reader: RangeReader, whole: Ranges, at: Mapping[TopicPartition, int], wanted: Mapping[TopicPartition, int]
) -> dict[TopicPartition, bool]:
    """Whether the labels at these places are of earlier readings than ``wanted``; of corrections alone that is not told."""
    found = await _first_readings(reader, whole, at)
    return {tp: (first := found[tp]) is not None and first < wanted[tp] for tp in at}


async def _first_readings(
    reader: RangeReader, whole: Ranges, at: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int | None]:
    """Of which reading the first label from each of these places on is; None where only corrections are."""
    peeked = await reader.peek({tp: Range(it, min(it + _PEEK_OFFSETS, whole[tp].end_offset)) for tp, it in at.items()})
    found = {}
    for tp in at:
        records = peeked[tp].records if tp in peeked else ()
        ids = (parse_id(id_of(record.value)) for record in records)
        found[tp] = next((one.offset for one in ids if one.revision == 0), None)
    return found


async def first_labelled(reader: RangeReader, whole: Ranges) -> dict[int, int | None]:
    """Of partitions whose oldest labels are gone, the first reading that still has its label; None: not one is left."""
    cut = {tp: one for tp, one in whole.items() if one.first_offset > 0}
    found = await _first_readings(reader, cut, {tp: one.first_offset for tp, one in cut.items() if len(one)})
    return {tp.partition: found.get(tp) for tp in cut}


async def given_labels(
    reader: RangeReader, labels: Ranges, readings: Mapping[int, Range], keys: Collection[bytes] | None
) -> AsyncGenerator[Given, None]:
    """Labels within ``labels`` that ``readings`` of each partition made, each once; of machines ``keys`` alone, if given."""
    copies = {tp: FirstCopies() for tp in labels}
    async for run in reader.read(labels):
        number, cause_of = run.tp.partition, copies[run.tp].cause
        first, end = readings[number].first_offset, readings[number].end_offset
        for record in run.records:
            if not record.value or (keys is not None and record.key not in keys):
                continue
            cause = cause_of(id_of(record.value))
            if cause is not None and first <= cause < end:
                yield Given(number, cause, record.key, record.value)


async def read_then(
    reader: RangeReader, labels: Ranges, readings: Mapping[int, Range], keys: Collection[bytes] | None
) -> dict[int, Then]:
    """What the labels of ``readings`` tell of the time when they were given, by partition."""
    then = {number: Then() for number in readings}
    async for given in given_labels(reader, labels, readings, keys):
        then[given.partition].add(given.cause, read_head(given.line))
    return then
