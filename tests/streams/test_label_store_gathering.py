"""Which labels wait, which are due, and how far may be committed."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streams.label_store.bundle import Bundle
from streams.label_store.gathering import Gathering
from streams.label_store.rows import LabelRow
from tests.streams.making_labels import MINUTE_MS, START_MS, a_row

Gathered = Gathering[int]


HOUR_MS = 60 * MINUTE_MS
HOUR_START_MS = START_MS // HOUR_MS * HOUR_MS


def gathering(linger_s: float = 70.0, most_labels: int = 1000, full: int = 100) -> Gathered:
    return Gathering(linger_s, full, most_labels)


def add(to: Gathered, offset: int, hour: int = 0, now_s: float = 0.0, machine: str = "well-7", source: int = 0) -> None:
    to.add(source, offset, a_row(offset, HOUR_START_MS + hour * HOUR_MS, machine_id=machine), now_s)


def offsets(bundles: Sequence[Bundle[int]]) -> list[list[int]]:
    return [bundle.as_labels().offsets.tolist() for bundle in bundles]


def test_an_hour_waits_until_the_next_one_begins() -> None:
    them = gathering()
    add(them, 0)
    add(them, 1)
    assert them.take(1.0) == []
    add(them, 2, hour=1)
    assert offsets(them.take(1.0)) == [[0, 1]]
    assert them.take(1.0) == []


def test_a_label_waits_no_longer_than_it_may() -> None:
    them = gathering(linger_s=70)
    add(them, 0, now_s=10)
    add(them, 1, now_s=79)
    assert them.take(79.9) == []
    assert offsets(them.take(80.0)) == [[0, 1]]


def test_so_many_wait_for_no_more() -> None:
    them = gathering(full=3)
    for offset in range(7):
        add(them, offset)
    assert offsets(them.take(0)) == [[0, 1, 2], [3, 4, 5]]
    assert offsets(them.take(70.0)) == [[6]]


def test_what_is_more_than_numbers_takes_more_room() -> None:
    them = gathering(most_labels=20)
    rows: list[LabelRow] = [a_row(offset, because="it says so", views={"level": 3.5}) for offset in (0, 1)]
    them.add(0, 0, rows[0], 0.0)
    assert them.has_room
    them.add(0, 1, rows[1], 0.0)
    assert not them.has_room
    (bundle,) = them.take(0.0)
    assert (bundle.as_rows(), them.waiting) == (rows, 0)


def test_machines_stacks_and_sources_wait_for_themselves() -> None:
    them = gathering()
    add(them, 0, machine="a")
    add(them, 1, machine="b", hour=5)
    add(them, 0, machine="a", hour=5, source=1)
    assert them.take(0) == []


def test_a_late_label_does_not_end_the_hour_that_runs() -> None:
    them = gathering()
    add(them, 0, hour=5)
    add(them, 1, hour=3)
    add(them, 2, hour=5)
    assert them.take(0) == []
    add(them, 3, hour=6)
    assert sorted(offsets(them.take(0))) == [[0, 2], [1]]


def test_nothing_is_committed_past_a_label_that_is_not_stored() -> None:
    them = gathering()
    add(them, 10, machine="slow")
    add(them, 11, machine="fast")
    add(them, 12, machine="fast", hour=1)
    full = them.take(0)
    assert them.next_offsets() == {0: 10}
    them.done(full)
    assert them.next_offsets() == {0: 10}
    rest = them.take(100)
    assert offsets(rest) == [[10], [12]]
    assert them.next_offsets() == {0: 10}
    them.done(rest[:1])
    assert them.next_offsets() == {0: 12}
    them.done(rest[1:])
    assert them.next_offsets() == {0: 13}


def test_what_is_no_label_is_passed_over() -> None:
    them = gathering()
    them.add(0, 4, None, 0.0)
    them.add(0, 5, None, 0.0)
    assert them.take(0) == []
    assert them.next_offsets() == {0: 6}


def test_a_record_that_comes_again_changes_nothing() -> None:
    them = gathering()
    add(them, 0)
    add(them, 1)
    add(them, 0)
    assert them.waiting == 2
    assert offsets(them.take(0, everything=True)) == [[0, 1]]


def test_the_oldest_go_when_there_is_no_room() -> None:
    them = gathering(most_labels=3)
    for offset, machine in enumerate("abc"):
        assert them.has_room
        add(them, offset, machine=machine)
    assert not them.has_room
    assert offsets(them.take(0))[0] == [0]
    assert them.has_room


def test_forgotten_partitions_begin_anew() -> None:
    them = gathering()
    add(them, 7)
    them.forget()
    assert (them.take(1000), them.waiting, dict(them.next_offsets())) == ([], 0, {})
    add(them, 3)
    assert offsets(them.take(0, everything=True)) == [[3]]


@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from("abc"), st.integers(0, 3)), max_size=40),
    st.lists(st.integers(0, 3), min_size=40, max_size=40),
)
def test_every_label_goes_once_and_no_offset_too_early(records: list[tuple[int, str, int]], steps: list[int]) -> None:
    them = gathering(linger_s=3, most_labels=8)
    next_offset = {0: 0, 1: 0}
    stored: dict[int, set[int]] = {0: set(), 1: set()}
    writing: list[list[Bundle[int]]] = []

    def finish(written: list[Bundle[int]]) -> None:
        for bundle, them_offsets in zip(written, offsets(written), strict=True):
            assert not stored[bundle.source] & set(them_offsets)
            stored[bundle.source].update(them_offsets)
        them.done(written)

    for now_s, ((source, machine, hour), step) in enumerate(zip(records, steps, strict=False)):
        add(them, next_offset[source], hour, now_s, machine, source)
        next_offset[source] += 1
        if step >= 1:
            writing.append(them.take(now_s))
        if step >= 2 and writing:
            finish(writing.pop(0))
        for at, offset in them.next_offsets().items():
            assert set(range(offset)) <= stored[at]
    for written in writing:
        finish(written)
    while due := them.take(1e9):
        finish(due)
    assert {at: len(them_offsets) for at, them_offsets in stored.items()} == next_offset
    assert them.waiting == 0
