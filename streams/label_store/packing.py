"""Labels of one machine, one stack and one minute in one item, and back, to the letter.

An item as the console shows it::

    machine      acme/well-7                        partition key
    minute       2026-11-24T02:44#load#10254#9f3a61c2e07b    sort key: minute, stack, first source offset, digest
    expires_at   1803264240                         when DynamoDB may delete it (TTL), epoch seconds
    stack, feature, model_digest, git_commit, ...   what all labels of the item share, under the label's own names
    signals      ["casing_pressure", "tubing_pressure"]
    labels       57 normal, 3 anomalous             in the order of their times
    values, surprises, seconds                      lists for the reader's eye, see below
    columns      (binary)                           everything that differs between the labels

``columns`` is complete by itself: a deflated msgpack map from a field's number in :data:`_FIELDS` to its column
(:mod:`streams.label_store.columns`). The lists repeat a part of it for people. They are there as far as they fit into
the write units that the item costs anyway: all of them up to some 20 labels a minute, at one a second often only one.

The digest in the sort key is that of the labels. So two different sets of labels never have the same key, and putting
an item never changes one: see :mod:`streams.label_store`.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

import msgspec

from streams.label_store.attributes import UNIT_BYTES, Attribute, Item, fits, number, numbers, size, text, units, weight
from streams.label_store.columns import column_of, differences, numbers_of, sums
from streams.label_store.rows import LabelRow, in_order, letters, moment_at, usual_id

PARTITION_KEY: Final = "machine"
SORT_KEY: Final = "minute"
EXPIRES: Final = "expires_at"

MINUTE_MS: Final = 60_000
#: DynamoDB takes 400 kB; beyond this the labels of a minute are put into two items.
MOST_BYTES: Final = 350_000
_DIGEST_DIGITS: Final = 12
_KEY_CHARACTERS: Final = 64  # of a stack's name; the digest tells the rest

#: Numbers of the fields in ``columns``. Items live for months: add at the end, never renumber.
_FIELDS: Final = (
    "event_time",
    "source_offset",
    "signals",
    "value",
    "median",
    "score",
    "surprise",
    "label_id",
    "supersedes",
    "partner_offset",
    "feature",
    "expected_low",
    "expected_high",
    "label",
    "reason",
    "alert",
    "incident_id",
    "detector",
    "model_digest",
    "model_rung",
    "model_since_offset",
    "code_version",
    "git_commit",
    "source_topic",
    "source_partition",
    "revision",
    "views",
    "because",
)
_NUMBER: Final = {name: at for at, name in enumerate(_FIELDS)}

#: Fields that usually are the same on all labels of a minute: an attribute of its own where they are, else a column.
_SHARED_TEXTS: Final = (
    "feature",
    "label",
    "reason",
    "alert",
    "incident_id",
    "detector",
    "model_digest",
    "model_rung",
    "code_version",
    "git_commit",
    "source_topic",
)
_SHARED_WHOLE: Final = ("model_since_offset", "source_partition", "revision")
_SHARED_NUMBERS: Final = ("expected_low", "expected_high")
_OWN_NUMBERS: Final = ("value", "median", "score", "surprise")
_OWN_OBJECTS: Final = ("views", "because")

_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder().decode


# -- keys


def machine_key(client_id: str, machine_id: str) -> str:
    """Partition key. A slash in the client's name is written %2F, so that no two machines share a key.

    >>> machine_key("acme", "pad 4/well-7")
    'acme/pad 4/well-7'
    """
    return f"{client_id.replace('%', '%25').replace('/', '%2F')}/{machine_id}"


def machine_of(key: str) -> tuple[str, str]:
    """``(client_id, machine_id)`` of a partition key."""
    client, _, machine = key.partition("/")
    return client.replace("%2F", "/").replace("%25", "%"), machine


def minute_key(time_ms: int) -> str:
    """How the sort keys of the minute that holds ``time_ms`` begin.

    >>> minute_key(1795488250123)
    '2026-11-24T02:44'
    """
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M")


# -- to items


def pack(rows: Iterable[LabelRow], ttl_s: int, now_s: float) -> Iterator[Item]:
    """Items holding ``rows``: the same ones for the same set of labels, in whatever order and however often they come.

    Labels that would have expired before ``now_s`` (history that somebody feeds in) are kept for good.
    """
    groups: dict[tuple[Any, ...], list[LabelRow]] = {}
    for row in rows:
        group = (row.client_id, row.machine_id, row.stack, row.time_ms // MINUTE_MS, *row.signals)
        groups.setdefault(group, []).append(row)
    for members in groups.values():
        expires_at = members[0].time_ms // MINUTE_MS * (MINUTE_MS // 1000) + ttl_s
        yield from _items(in_order(members), expires_at if expires_at > now_s else None)


def _items(rows: Sequence[LabelRow], expires_at: int | None) -> Iterator[Item]:
    item = _item(rows, expires_at)
    if size(item) > MOST_BYTES and len(rows) > 1:
        half = len(rows) // 2
        yield from _items(rows[:half], expires_at)
        yield from _items(rows[half:], expires_at)
    else:
        yield item


def _item(rows: Sequence[LabelRow], expires_at: int | None) -> Item:
    first = rows[0]
    item: Item = {
        PARTITION_KEY: text(machine_key(first.client_id, first.machine_id)),
        SORT_KEY: text(_sort_key(rows)),
        "stack": text(first.stack),
        "signals": {"L": [text(name) for name in first.signals]},
    }
    if expires_at is not None:
        item[EXPIRES] = number(expires_at)
    columns = {
        _NUMBER["event_time"]: differences([row.time_ms for row in rows]),
        _NUMBER["source_offset"]: differences([row.source_offset for row in rows]),
        _NUMBER["signals"]: [column_of([row.signals[name] for row in rows]) for name in first.signals],
    }
    for name in _OWN_NUMBERS:
        _put(columns, name, column_of([getattr(row, name) for row in rows]))
    _share(item, columns, rows)
    _put_ids(columns, rows)
    _put_reasons(columns, rows)
    item["columns"] = {"B": _deflate(_pack(columns))}
    return _with_lists(item, rows)


def _sort_key(rows: Sequence[LabelRow]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(letters(row))
    first = rows[0]
    stack, minute = first.stack[:_KEY_CHARACTERS], minute_key(first.time_ms)
    return f"{minute}#{stack}#{first.source_offset}#{digest.hexdigest()[:_DIGEST_DIGITS]}"


def _share(item: Item, columns: dict[int, Any], rows: Sequence[LabelRow]) -> None:
    """Put what all rows share into ``item``, the rest into ``columns``. What is in neither is null on all of them."""
    for name in (*_SHARED_TEXTS, *_SHARED_WHOLE, *_SHARED_NUMBERS):
        values = [getattr(row, name) for row in rows]
        shared = values.count(values[0]) == len(values)
        if shared and values[0] is None:
            continue
        if name in _SHARED_TEXTS:
            if shared:
                item[name] = text(values[0])
            else:
                columns[_NUMBER[name]] = _words(values)
        elif shared and all(fits(value) for value in values):
            item[name] = number(values[0])
        else:
            columns[_NUMBER[name]] = differences(values) if name in _SHARED_WHOLE else column_of(values)


def _put_ids(columns: dict[int, Any], rows: Sequence[LabelRow]) -> None:
    ids = [row.label_id for row in rows]
    usual = [usual_id(row.stack, row.source_partition, row.source_offset, row.revision) for row in rows]
    if ids != usual:
        columns[_NUMBER["label_id"]] = ids
    if any(row.supersedes is not None for row in rows):
        columns[_NUMBER["supersedes"]] = [row.supersedes for row in rows]
    if any(row.partner_offset is not None for row in rows):
        columns[_NUMBER["partner_offset"]] = differences([row.partner_offset for row in rows])


def _put_reasons(columns: dict[int, Any], rows: Sequence[LabelRow]) -> None:
    """Views and words: few labels have them, so the lists are mostly null and deflate to little."""
    for name in _OWN_OBJECTS:
        values = [getattr(row, name) for row in rows]
        if any(value is not None for value in values):
            columns[_NUMBER[name]] = values


def _put(columns: dict[int, Any], name: str, column: tuple[int, list[Any]]) -> None:
    if any(value is not None for value in column[1]):
        columns[_NUMBER[name]] = column


def _words(values: Sequence[str | None]) -> tuple[list[str | None], list[int]]:
    """Distinct texts in the order they first appear, and the place of each value among them."""
    places: dict[str | None, int] = {}
    at = [places.setdefault(value, len(places)) for value in values]
    return list(places), at


def _with_lists(item: Item, rows: Sequence[LabelRow]) -> Item:
    """``item`` with the lists for people, as far as they cost no further write unit."""
    start = rows[0].time_ms // MINUTE_MS * MINUTE_MS
    lists = {
        "labels": text(_spoken([row.label for row in rows])),
        "values": _list([row.value for row in rows]),
        "surprises": _list([row.surprise for row in rows]),
        "seconds": _list([(row.time_ms - start) / 1000 for row in rows]),
    }
    weighs = size(item)
    room = units(weighs) * UNIT_BYTES - weighs
    for name, attribute in lists.items():
        if attribute is not None and (heavy := weight(name, attribute)) <= room:
            item[name] = attribute
            room -= heavy
    return item


def _list(values: Sequence[float | None]) -> Attribute | None:
    return numbers(values) if all(map(fits, values)) else None


def _spoken(labels: Sequence[str]) -> str:
    return ", ".join(f"{sum(1 for _ in same)} {label}" for label, same in groupby(labels))


def _deflate(data: bytes) -> bytes:
    squeezer = zlib.compressobj(level=6, wbits=-15)
    return squeezer.compress(data) + squeezer.flush()


# -- back to labels


def unpack(item: Item) -> list[LabelRow]:
    """The labels of an item, by event time, source offset and revision."""
    columns = _columns(item)
    times = sums(columns[_NUMBER["event_time"]])
    n = len(times)
    client_id, machine_id = machine_of(item[PARTITION_KEY]["S"])
    stack = item["stack"]["S"]
    fields: dict[str, Sequence[Any]] = {
        "event_time": [moment_at(time_ms) for time_ms in times if time_ms is not None],
        "source_offset": sums(columns[_NUMBER["source_offset"]]),
        "signals": _signals([name["S"] for name in item["signals"]["L"]], columns[_NUMBER["signals"]], n),
        "partner_offset": _whole(columns, "partner_offset", n),
        "supersedes": columns.get(_NUMBER["supersedes"]) or [None] * n,
    }
    for name in _OWN_OBJECTS:
        fields[name] = columns.get(_NUMBER[name]) or [None] * n
    for name in _OWN_NUMBERS:
        fields[name] = _numbers(columns, name, n)
    for name in _SHARED_TEXTS:
        fields[name] = [item[name]["S"]] * n if name in item else _spelled(columns, name, n)
    for name in _SHARED_WHOLE:
        fields[name] = [int(item[name]["N"])] * n if name in item else _whole(columns, name, n)
    for name in _SHARED_NUMBERS:
        fields[name] = [float(item[name]["N"])] * n if name in item else _numbers(columns, name, n)
    fields["label_id"] = columns.get(_NUMBER["label_id"]) or [
        usual_id(stack, *its)
        for its in zip(fields["source_partition"], fields["source_offset"], fields["revision"], strict=True)
    ]
    names = list(fields)
    return [
        LabelRow(client_id=client_id, machine_id=machine_id, stack=stack, **dict(zip(names, values, strict=True)))
        for values in zip(*fields.values(), strict=True)
    ]


#: The attributes that :func:`label_ids` needs.
ID_ATTRIBUTES: Final = ("stack", "columns", "source_partition", "revision")


def label_ids(item: Item) -> list[str]:
    """The ids of an item's labels, without making the labels."""
    columns = _columns(item)
    if _NUMBER["label_id"] in columns:
        return list(columns[_NUMBER["label_id"]])
    offsets: list[Any] = list(sums(columns[_NUMBER["source_offset"]]))
    n, stack = len(offsets), item["stack"]["S"]
    partitions, revisions = (
        [int(item[name]["N"])] * n if name in item else _whole(columns, name, n)
        for name in ("source_partition", "revision")
    )
    return [usual_id(stack, *its) for its in zip(partitions, offsets, revisions, strict=True)]


def _columns(item: Item) -> dict[int, Any]:
    return dict(_unpack(zlib.decompress(item["columns"]["B"], wbits=-15)))


def _signals(names: Sequence[str], columns: Sequence[Any], n: int) -> list[dict[str, float | None]]:
    if not names:
        return [{} for _ in range(n)]
    return [dict(zip(names, values, strict=True)) for values in zip(*map(numbers_of, columns), strict=True)]


def _numbers(columns: dict[int, Any], name: str, n: int) -> list[float | None]:
    column = columns.get(_NUMBER[name])
    return [None] * n if column is None else numbers_of(column)


def _whole(columns: dict[int, Any], name: str, n: int) -> list[Any]:
    column = columns.get(_NUMBER[name])
    return [None] * n if column is None else sums(column)


def _spelled(columns: dict[int, Any], name: str, n: int) -> list[str | None]:
    column = columns.get(_NUMBER[name])
    return [None] * n if column is None else [column[0][at] for at in column[1]]
