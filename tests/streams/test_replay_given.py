"""Labels found on their topic by the readings that made them, whatever a killed worker sent twice."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.reading_ranges import Range, Ranges
from streams.replay import given as given_module
from streams.replay.given import find_labels
from streams.replay.lines import FirstCopies
from streams.runs.run import Run

TP = TopicPartition("labels", 0)


class Record(NamedTuple):
    offset: int
    value: bytes


class Topic:
    """A topic of labels in the place of a reader of ranges: ids as a worker sent them."""

    def __init__(self, ids: list[str]) -> None:
        self.records = [Record(at, b'{"label_id":"%s"}' % one.encode()) for at, one in enumerate(ids)]
        self.asked = 0

    @property
    def whole(self) -> Ranges:
        return {TP: Range(0, len(self.records))}

    async def peek(self, ranges: Ranges) -> Mapping[TopicPartition, Run]:
        self.asked += 1
        found = self.records[ranges[TP].first_offset : min(ranges[TP].end_offset, ranges[TP].first_offset + 5)]
        return {TP: Run(TP, found)} if found else {}


@settings(deadline=None)
@given(
    readings=st.integers(1, 300),
    kills=st.lists(st.tuples(st.integers(1, 300), st.integers(0, 60)), max_size=3),
    bounds=st.tuples(st.integers(0, 300), st.integers(0, 300)).map(sorted),
)
def test_all_labels_of_a_stretch_are_within_what_is_found(
    readings: int, kills: list[tuple[int, int]], bounds: list[int]
) -> None:
    sent: list[str] = []
    begin = 0
    for at, back in sorted(kills):
        sent += [f"load-0-{offset}-0" for offset in range(begin, min(at, readings))]
        begin = max(0, min(at, readings) - back)
    sent += [f"load-0-{offset}-0" for offset in range(begin, readings)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(given_module, "MAX_RUN", 0)  # without what is added to be on the safe side
        found = _found(Topic(sent), bounds)
    copies = FirstCopies()
    causes = [copies.cause(one) for one in sent[found.first_offset : found.end_offset]]
    wanted = set(range(bounds[0], min(bounds[1], readings)))
    assert wanted <= {cause for cause in causes if cause is not None}


def test_little_is_looked_at_of_a_long_topic() -> None:
    topic = Topic([f"load-0-{offset}-0" for offset in range(1_000_000)])
    found = _found(topic, [500_000, 500_100])
    assert found.first_offset <= 500_000 <= 500_100 <= found.end_offset
    assert len(found) < 40_000
    assert topic.asked < 60


def _found(topic: Any, bounds: list[int]) -> Range:
    return asyncio.run(find_labels(topic, topic.whole, {0: Range(*bounds)}, stacks=1))[TP]
