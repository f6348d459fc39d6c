"""Events without a process: ids, the tail, a reader's way, who gets what."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RefusedRequest
from streams.dashboard.events.place import Chosen, Place
from streams.dashboard.events.positions import Ids
from streams.dashboard.events.readers import Readers
from streams.dashboard.events.tail import Tail
from streams.dashboard.viewer import Viewer

ALL = Viewer("ann", "answer", None)
IDS = Ids("labels", 3)
PARTITIONS = [TopicPartition("labels", number) for number in range(3)]


@dataclass
class Record:
    offset: int
    value: bytes | None


def record(offset: int, client: str = "acme", **more: str) -> Record:
    return Record(offset, json.dumps({"client_id": client, "machine_id": "well-1", "offset": offset, **more}).encode())


@given(st.lists(st.integers(0, 2**63 - 1), min_size=3, max_size=3))
def test_an_id_is_where_its_reader_stands(positions: list[int]) -> None:
    assert IDS.positions(IDS.text(positions)) == positions


@pytest.mark.parametrize(
    "text",
    [
        "",
        "labels",
        "labels:",
        "labels:1.2",
        "labels:1.2.3.4",
        "incidents:1.2.3",
        "labels:1..3",
        "labels:1.2.-3",
        "labels:1.2.g",
    ],
)
def test_what_is_no_id_of_the_stream_is_refused(text: str) -> None:
    with pytest.raises(RefusedRequest, match="Last-Event-ID"):
        IDS.positions(text)


def sent(chunk: list[bytes]) -> list[tuple[str, str]]:
    """Ids and data of events."""
    return [tuple(line.split(": ", 1)[1] for line in one.decode().split("\n")[::2][:2]) for one in chunk]  # type: ignore[misc]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(0, 2)), max_size=30),
    st.lists(st.integers(1, 400), min_size=1),
)
def test_a_reader_that_comes_back_with_any_id_gets_what_came_after_and_nothing_twice(
    blocks: list[tuple[int, int, int]], rooms: list[int]
) -> None:
    tail = Tail(PARTITIONS, 10**6)
    next_offset = [0, 0, 0]
    expected = []
    for partition, count, marker in blocks:
        offsets = range(next_offset[partition], next_offset[partition] + count)
        tail.take(PARTITIONS[partition], [record(offset) for offset in offsets])
        expected += [(partition, offset) for offset in offsets]
        next_offset[partition] += count + marker  # markers take offsets as well
    got: list[tuple[int, int]] = []
    positions = [0, 0, 0]
    for room in [*rooms, 10**6]:  # each time another connection, which takes so much
        place = Place(IDS, [b"label"] * 3, Chosen(ALL), positions)
        left = room
        for block in tail.blocks.values():
            chunk: list[bytes] = []
            _, left = place.go(block.partition, block.entries, 0, chunk, left)
            for identifier, data in sent(chunk):
                got.append((block.partition, json.loads(data)["offset"]))
                positions = IDS.positions(identifier)
    assert got == expected


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5)), max_size=60), st.integers(0, 20_000))
def test_a_tail_keeps_its_size_and_says_for_whom_nothing_is_missing(blocks: list[tuple[int, int]], most: int) -> None:
    tail = Tail(PARTITIONS, most)
    for tp in PARTITIONS:
        tail.stands_at(tp, 100)
    ends = [100, 100, 100]
    for partition, count in blocks:
        tail.take(PARTITIONS[partition], [record(ends[partition] + at) for at in range(count)])
        ends[partition] += count
        assert tail.size <= most
        assert tail.positions == ends
        assert tail.holds(ends)
    held = [
        [entry.offset for block in tail.blocks.values() if block.partition == at for entry in block.entries]
        for at in range(3)
    ]
    for at in range(3):
        assert held[at] == list(range(ends[at] - len(held[at]), ends[at]))
        first = list(ends)
        first[at] -= len(held[at])
        assert tail.holds(first)
        first[at] -= 1
        assert not tail.holds(first)


def test_a_reader_is_sent_what_it_chose_of_what_it_may_see() -> None:
    records = [
        record(0, stack="load", label="normal"),
        record(1, stack="load", label="anomalous"),
        record(2, stack="flow", label="anomalous"),
        record(3, client="other", stack="load", label="anomalous"),
        record(4, machine_id="well-2", stack="load", label="anomalous"),
        Record(5, b"no JSON"),
        Record(6, None),
        Record(7, b'{\n"client_id": "acme",\n"machine_id": "well-1"\n}'),
    ]
    tail = Tail(PARTITIONS, 10**6)
    tail.take(PARTITIONS[0], records)

    def offsets(chosen: Chosen) -> list[int | None]:
        place, chunk = Place(IDS, [b"label"] * 3, chosen, [0, 0, 0]), list[bytes]()
        place.go(0, tail.blocks[0].entries, 0, chunk, 10**6)
        assert place.positions == [8, 0, 0]
        return [json.loads(data).get("offset") for _, data in sent(chunk)]

    assert offsets(Chosen(ALL)) == [0, 1, 2, 3, 4, None]
    assert offsets(Chosen(Viewer("bob", "see", frozenset({"other"})))) == [3]
    assert offsets(Chosen(ALL, client="acme", machine="well-1", stack="load", label="anomalous")) == [1]
    assert offsets(Chosen(Viewer("bob", "see", frozenset({"other"})), client="acme")) == []


def test_who_waits_for_news_is_woken_by_them() -> None:
    async def wait() -> None:
        tail = Tail(PARTITIONS, 10**6)
        await tail.news(0)
        waiting = asyncio.create_task(tail.news(60))
        await asyncio.sleep(0)
        tail.take(PARTITIONS[1], [record(0)])
        await waiting

    asyncio.run(wait())


def test_streams_are_counted_by_viewer_and_given_back() -> None:
    readers = Readers(3, 2)
    with readers.one_more("ann"), readers.one_more("ann"):
        with pytest.raises(RefusedRequest, match="ann reads 2"):
            readers.require_room("ann")
        readers.require_room("bob")
        with readers.one_more("bob"), pytest.raises(RefusedRequest, match=r"3 streams .* dashboard\.streams"):
            readers.require_room("cid")
    assert readers.count == 0
    readers.require_room("ann")
