"""Labels in columns, out of items, against the same as rows."""

import math
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.label_store.packing import pack, unpack
from streams.label_store.rows import LabelRow
from streams.label_store.tracks import DRAWN, STATES, Track, join, state_code, track_of
from tests.streams.making_labels import ANY_ROW, START_MS, a_row


def _of_row(row: LabelRow) -> tuple[Any, ...]:
    drawn = tuple(getattr(row, name) for name in DRAWN)
    signals = {name: value for name, value in row.signals.items() if value is not None}
    return (STATES[state_code(row.label, row.reason)], *drawn, signals)


def _of_track(track: Track, at: int) -> tuple[Any, ...]:
    drawn = tuple(None if math.isnan(number) else number for number in track.numbers[at].tolist())
    signals = dict(zip(track.signals, track.levels[at].tolist(), strict=True))
    there = {name: value for name, value in signals.items() if not math.isnan(value)}
    return (STATES[track.states[at]], *drawn, there)


@settings(max_examples=40)
@given(st.lists(ANY_ROW, max_size=12))
def test_columns_say_what_rows_say_and_each_reading_once(rows: list[LabelRow]) -> None:
    items = list(pack(rows, 0, 0.0))
    for stack in {row.stack for row in rows}:
        mine = [item for item in items if item["stack"]["S"] == stack]
        newest: dict[tuple[int, int, int], list[LabelRow]] = defaultdict(list)
        for row in (row for item in mine for row in unpack(item)):
            found = newest[row.time_ms, row.source_partition, row.source_offset]
            if found and found[0].revision < row.revision:
                found.clear()
            if not found or found[0].revision == row.revision:
                found.append(row)
        track = join(track_of(item) for item in mine)
        places = list(zip(track.times_ms.tolist(), track.partitions.tolist(), track.offsets.tolist(), strict=True))
        assert places == sorted(newest)
        for at, place in enumerate(places):
            assert _of_track(track, at) in [_of_row(row) for row in newest[place]]


def test_what_comes_from_two_places_is_there_once_and_the_correction_holds() -> None:
    def track(*rows: LabelRow) -> Track:
        return join(track_of(item) for item in pack(rows, 0, 0.0))

    stored = track(*(a_row(n, START_MS + n * 1000) for n in range(5)))
    corrected = a_row(3, START_MS + 3000, revision=1, value=9.5)
    both = join([stored, track(corrected, *(a_row(n, START_MS + n * 1000) for n in range(4, 8)))])
    assert both.offsets.tolist() == list(range(8))
    assert both.revisions.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    assert both.numbers[3, 0] == 9.5
