"""Machines that wait to be written: none is forgotten, none is written for a reading it does not have."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.worker.waiting import Waiting

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(0, 9), max_size=6)),
        st.tuples(st.just("take"), st.integers(1, 5), st.integers(0, 3)),
    )
)


@given(STEPS)
def test_whoever_has_a_reading_that_is_not_written_waits_and_nobody_else(steps: Sequence[tuple[Any, ...]]) -> None:
    waiting = Waiting()
    oldest: dict[int, int] = {}  # by slot: its first reading that is not written
    since: dict[int, float] = {}
    offset, now = 0, 0.0
    for what, *how in steps:
        now += 1.0
        if what == "add":
            (slots,) = how
            waiting.add(slots, offset, now)
            for slot in slots:
                oldest.setdefault(slot, offset)
                since.setdefault(slot, now)
            offset += len(slots)
        else:
            most, ago = how
            taken = waiting.take(most, now - ago)
            assert taken == [slot for slot in since if since[slot] <= now - ago][:most]
            for slot in taken:
                del oldest[slot], since[slot]
        assert len(waiting) == len(oldest)
        assert waiting.first_offset == min(oldest.values(), default=None)
        if oldest:
            assert waiting.since_s == min(since.values())
