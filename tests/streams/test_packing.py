"""Labels to items and back."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.labels import Label
from streams.label_store.attributes import UNIT_BYTES, Item, size, units
from streams.label_store.columns import column_of, numbers_of
from streams.label_store.gathering import Gathering
from streams.label_store.packing import (
    EXPIRES,
    MOST_BYTES,
    PARTITION_KEY,
    SORT_KEY,
    label_ids,
    machine_key,
    machine_of,
    pack,
    pack_labels,
    unpack,
)
from streams.label_store.rows import LabelRow, NotALabel, decode_label, in_order, letters, to_label, to_row
from tests.streams.making_labels import ANY_ROW, MINUTE_MS, START_MS, a_label, a_row, minutes_of_rows

DAY_S = 86_400


def packed(rows: Sequence[LabelRow]) -> list[Item]:
    return list(pack(rows, ttl_s=90 * DAY_S, now_s=0.0))


def all_letters(items: Sequence[Item]) -> list[bytes]:
    return sorted(letters(row) for item in items for row in unpack(item))


# -- rows


def test_a_row_has_the_fields_of_a_label_in_their_order() -> None:
    assert tuple(LabelRow.__struct_fields__) == tuple(Label.model_fields)
    assert set(get_type_hints(LabelRow)) == set(Label.model_fields)


@given(ANY_ROW)
def test_a_row_and_a_label_are_the_same_to_the_letter(row: LabelRow) -> None:
    label = Label.model_validate_json(letters(row))
    assert to_label(row) == label
    assert letters(to_row(label)) == letters(row)
    assert to_label(row).model_dump_json() == label.model_dump_json()


def test_another_zone_and_digits_beyond_milliseconds_are_the_same_moment() -> None:
    plain = letters(a_row())
    for time in (b"2026-11-24T03:44:00+01:00", b"2026-11-24T02:44:00.000200Z", b"2026-11-24T02:43:59.999900Z"):
        row = decode_label(plain.replace(b"2026-11-24T02:44:00Z", time))
        assert row.event_time == datetime(2026, 11, 24, 2, 44, tzinfo=UTC)
        assert letters(row) == plain


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"null",
        letters(a_row()).replace(b'"normal"', b'"fine"'),
        letters(a_row()).replace(b'"source_offset":7', b'"source_offset":-7'),
        letters(a_row()).replace(b"2026-", b"2126-"),
    ],
)
def test_what_is_no_label_is_told_apart(value: bytes | None) -> None:
    with pytest.raises(NotALabel):
        decode_label(value)


# -- columns


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_come_back_to_the_last_bit(numbers: list[float | None]) -> None:
    assert list(map(repr, numbers_of(column_of(numbers)))) == list(map(repr, numbers))


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1), st.integers(0, 6))
def test_numbers_of_few_decimals_become_whole_numbers(whole: list[int], decimals: int) -> None:
    numbers = [number / 10**decimals for number in whole]
    column = column_of(numbers)
    assert 0 <= column[0] <= decimals
    assert list(map(repr, numbers_of(column))) == list(map(repr, numbers))


# -- items


@given(st.lists(ANY_ROW, max_size=12))
def test_labels_come_back_to_the_letter(rows: list[LabelRow]) -> None:
    assert all_letters(packed(rows)) == sorted(set(map(letters, rows)))


@given(st.lists(ANY_ROW, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repetition_change_no_item(rows: list[LabelRow], dice: random.Random) -> None:
    shuffled = rows + rows[: dice.randint(0, len(rows))]
    dice.shuffle(shuffled)

    def by_key(items: list[Item]) -> dict[tuple[str, str], Item]:
        return {(item[PARTITION_KEY]["S"], item[SORT_KEY]["S"]): item for item in items}

    assert by_key(packed(shuffled)) == by_key(packed(rows))
    assert len(by_key(packed(rows))) == len(packed(rows))


@given(st.lists(ANY_ROW, max_size=12))
def test_ids_are_read_without_the_rest(rows: list[LabelRow]) -> None:
    for item in packed(rows):
        assert label_ids(item) == [row.label_id for row in unpack(item)]


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_two_machines_share_a_key(client: str, machine: str) -> None:
    assert machine_of(machine_key(client, machine)) == (client, machine)


def test_a_different_set_of_labels_has_a_different_key() -> None:
    first, second = a_row(7), a_row(8, START_MS + 1000)
    changed = msgspec.structs.replace(first, surprise=0.302)
    keys = [packed(rows)[0][SORT_KEY]["S"] for rows in ([first], [second], [first, second], [changed])]
    assert len(set(keys)) == 4


def test_machines_hours_stacks_and_sets_of_signals_have_items_of_their_own() -> None:
    rows = [
        a_row(),
        a_row(machine_id="well-8"),
        a_row(client_id="other"),
        a_row(stack="flow"),
        a_row(time_ms=START_MS + 60 * MINUTE_MS),
        a_row(signals={"flow_rate": 1.0}),
    ]
    assert len(packed(rows)) == len(rows)


def test_several_models_within_an_hour_share_an_item() -> None:
    rows = [a_row(1, model_digest="a" * 16), a_row(2, model_digest="b" * 16, model_rung="fleet", model_since_offset=2)]
    (item,) = packed(rows)
    assert "model_digest" not in item
    assert unpack(item) == rows


def test_revisions_of_a_label_stay_beside_it() -> None:
    rows = [a_row(), a_row(revision=1, supersedes="load-3-7-0", value=150.0)]
    (item,) = packed(rows)
    assert [row.revision for row in unpack(item)] == [0, 1]
    assert unpack(item) == rows


def test_a_person_can_read_the_main_fields() -> None:
    rows = [a_row(1), a_row(2, START_MS + 10_500, value=None, surprise=4.1, label="anomalous")]
    (item,) = packed(rows)
    assert item["minute"]["S"].startswith("2026-11-24T02:44#load#1#")
    assert item["machine"] == {"S": "acme/well-7"}
    assert item["model_digest"] == {"S": "0123456789abcdef"}
    assert item["labels"] == {"S": "1 normal, 1 anomalous"}
    assert item["values"] == {"L": [{"N": "152.4"}, {"NULL": True}]}
    assert item["surprises"] == {"L": [{"N": "0.301"}, {"N": "4.1"}]}
    assert item["seconds"] == {"L": [{"N": "0.0"}, {"N": "10.5"}]}


def test_the_lists_for_people_cost_no_further_write_unit() -> None:
    for step_s in (1, 2, 5):
        for item in packed(minutes_of_rows(3, 120, step_s)):
            bare = {
                name: value for name, value in item.items() if name not in ("labels", "values", "surprises", "seconds")
            }
            assert units(size(item)) == units(size(bare))


def test_sixty_labels_cost_one_write_unit() -> None:
    items = packed(minutes_of_rows(20, 60, 1))
    assert len(items) == 20
    assert max(map(size, items)) <= UNIT_BYTES


SOME_AGAIN = st.lists(st.integers(0, 3), max_size=4)


@given(st.lists(ANY_ROW, max_size=12), SOME_AGAIN)
def test_what_was_gathered_hour_by_hour_makes_the_items_that_its_labels_make(
    rows: list[LabelRow], again: list[int]
) -> None:
    rows = sorted([*rows, *(rows[at] for at in again if at < len(rows))], key=lambda row: row.time_ms)
    items = gathered(rows)
    assert {(item[PARTITION_KEY]["S"], item[SORT_KEY]["S"]): item for item in items} == {
        (item[PARTITION_KEY]["S"], item[SORT_KEY]["S"]): item for item in packed(rows)
    }
    assert all_letters(items) == sorted(set(map(letters, rows)))


@given(st.lists(ANY_ROW, max_size=12), SOME_AGAIN)
def test_in_whatever_order_labels_come_each_is_in_an_item(rows: list[LabelRow], again: list[int]) -> None:
    rows += [rows[at] for at in again if at < len(rows)]
    assert set(all_letters(gathered(rows))) == set(map(letters, rows))


def gathered(rows: list[LabelRow]) -> list[dict[str, Any]]:
    them = Gathering[int](linger_s=0.0, full=3_600, most_labels=1_000_000)
    for offset, row in enumerate(rows):
        them.add(0, offset, row, 0.0)
    bundles = them.take(0.0, everything=True)
    return [item for bundle in bundles for item in pack_labels(bundle.as_labels(), 90 * DAY_S, 0.0)]


def test_an_item_that_grows_too_large_is_cut() -> None:
    dice = random.Random(1)
    rows = [
        a_row(offset, START_MS + offset, signals={f"signal_{n}": dice.random() for n in range(60)})
        for offset in range(1500)
    ]
    items = packed(rows)
    assert len(items) > 1
    assert max(map(size, items)) <= MOST_BYTES
    assert in_order(row for item in items for row in unpack(item)) == rows


# -- expiry


def test_an_item_expires_so_long_after_its_last_minute() -> None:
    rows = [a_row(1, START_MS - 10 * MINUTE_MS), a_row(2, START_MS + 30_000)]
    (item,) = pack(rows, ttl_s=5 * DAY_S, now_s=START_MS / 1000)
    assert item[EXPIRES] == {"N": str(START_MS // 1000 + 5 * DAY_S)}


def test_history_older_than_that_is_kept() -> None:
    (item,) = pack([a_row()], ttl_s=5 * DAY_S, now_s=START_MS / 1000 + 6 * DAY_S)
    assert EXPIRES not in item


def test_nan_and_infinity_become_null() -> None:
    row = to_row(a_label(value=float("nan"), surprise=float("inf")))
    assert (row.value, row.surprise) == (None, None)
