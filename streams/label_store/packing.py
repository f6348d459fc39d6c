"""Labels of one machine, one stack and at most one hour in one item, and back, to the letter.

An item as the console shows it::

    machine      acme/well-7                        partition key
    minute       2026-11-24T02:44#load#10254#9f3a61c2e07b    sort key: first minute, stack, first source offset, digest
    expires_at   1803264240                         when DynamoDB may delete it (TTL), epoch seconds
    stack, feature, model_digest, git_commit, ...   what all labels of the item share, under the label's own names
    signals      ["casing_pressure", "tubing_pressure"]
    labels       57 normal, 3 anomalous             in the order of their times
    values, surprises, seconds                      lists for the reader's eye, see below
    columns      (binary)                           everything that differs between the labels

``columns`` is complete by itself: a deflated msgpack map from a field's number in :data:`_FIELDS` to its column
(:mod:`streams.label_store.columns`). The lists repeat a part of it for people. They are there as far as they fit into
the write units that the item costs anyway, and only into items of at most 30 labels.

The digest in the sort key is that of everything else. So two different sets of labels never have the same key, and putting
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
from streams.label_store.labels import HOUR_MS, OWN_NUMBERS, SHARED, SHARED_NUMBERS, SHARED_TEXTS, SHARED_WHOLE, Labels
from streams.label_store.rows import LabelRow, in_order, moment_at, usual_id

PARTITION_KEY: Final = "machine"
SORT_KEY: Final = "minute"
EXPIRES: Final = "expires_at"

MINUTE_MS: Final = 60_000
#: DynamoDB takes 400 kB; beyond this the labels of a bundle are put into two items.
MOST_BYTES: Final = 350_000
_DIGEST_DIGITS: Final = 12
#: Of an item with more labels nobody reads the lists, and making them takes as long as all the rest.
_MOST_LISTED: Final = 30
#: Of a sort key, those that tell the hour.
HOUR_CHARACTERS: Final = 13
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
#: By a field's name its number in ``columns``.
NUMBER_OF: Final = {name: at for at, name in enumerate(_FIELDS)}

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


def hour_key(time_ms: int) -> str:
    """How the sort keys of the hour that holds ``time_ms`` begin.

    >>> hour_key(1795488250123)
    '2026-11-24T02'
    """
    return minute_key(time_ms)[:HOUR_CHARACTERS]


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
        group = (row.client_id, row.machine_id, row.stack, row.time_ms // HOUR_MS, *row.signals)
        groups.setdefault(group, []).append(row)
    for members in groups.values():
        yield from pack_labels(Labels.of_rows(in_order(members)), ttl_s, now_s)


def pack_labels(labels: Labels, ttl_s: int, now_s: float) -> Iterator[Item]:
    """Items holding ``labels``, mostly one; all are of one hour."""
    item = _item(labels, ttl_s, now_s)
    if size(item) > MOST_BYTES and len(labels) > 1:
        half = len(labels) // 2
        yield from pack_labels(labels.part(0, half), ttl_s, now_s)
        yield from pack_labels(labels.part(half, len(labels)), ttl_s, now_s)
    else:
        yield item


def _item(labels: Labels, ttl_s: int, now_s: float) -> Item:
    times, offsets = labels.times.tolist(), labels.offsets.tolist()
    item: Item = {
        PARTITION_KEY: text(machine_key(labels.client_id, labels.machine_id)),
        SORT_KEY: text(""),  # it ends in a digest of all the rest
        "stack": text(labels.stack),
        "signals": {"L": [text(name) for name in labels.signals]},
    }
    columns: dict[int, Any] = {
        NUMBER_OF["event_time"]: differences(times),
        NUMBER_OF["source_offset"]: differences(offsets),
        NUMBER_OF["signals"]: [column_of(column) for column in labels.numbers.T[len(OWN_NUMBERS) :]],
    }
    for name, column in zip(OWN_NUMBERS, labels.numbers.T, strict=False):
        _put(columns, name, column_of(column))
    _share(item, columns, labels)
    if labels.rows is not None:
        _put_rare(columns, labels.rows, labels)
    packed = _pack(columns)
    digest = hashlib.sha256(_pack(item) + packed).hexdigest()[:_DIGEST_DIGITS]
    item[SORT_KEY] = text(f"{minute_key(times[0])}#{labels.stack[:_KEY_CHARACTERS]}#{offsets[0]}#{digest}")
    expires_at = times[-1] // MINUTE_MS * (MINUTE_MS // 1000) + ttl_s
    if expires_at > now_s:
        item[EXPIRES] = number(expires_at)
    item["columns"] = {"B": _deflate(packed)}
    return _with_lists(item, labels)


def _share(item: Item, columns: dict[int, Any], labels: Labels) -> None:
    """Put what all labels share into ``item``, the rest into ``columns``. What is in neither is null on all of them."""
    for name in SHARED:
        values = labels.shared[name]
        shared = values.count(values[0]) == len(values)
        if shared and values[0] is None:
            continue
        if name in SHARED_TEXTS:
            if shared:
                item[name] = text(values[0])
            else:
                columns[NUMBER_OF[name]] = _words(values)
        elif shared and all(map(fits, values)):
            item[name] = number(values[0])
        else:
            values = [*values] * len(labels) if len(values) == 1 else values
            columns[NUMBER_OF[name]] = differences(values) if name in SHARED_WHOLE else column_of(values)


def _put_rare(columns: dict[int, Any], rows: Sequence[LabelRow | None], labels: Labels) -> None:
    """What only some labels have: lists that are mostly null deflate to little."""
    own = [row for row in rows if row is not None]
    if any(row.label_id != _usual_id_of(row) for row in own):
        columns[NUMBER_OF["label_id"]] = _ids(rows, labels)
    for name in ("supersedes", "views", "because"):
        if any(getattr(row, name) is not None for row in own):
            columns[NUMBER_OF[name]] = [None if row is None else getattr(row, name) for row in rows]
    if any(row.partner_offset is not None for row in own):
        columns[NUMBER_OF["partner_offset"]] = differences(
            [None if row is None else row.partner_offset for row in rows]
        )


def _ids(rows: Sequence[LabelRow | None], labels: Labels) -> list[str]:
    partitions, revisions = (
        list(labels.shared[name]) * (len(labels) if len(labels.shared[name]) == 1 else 1)
        for name in ("source_partition", "revision")
    )
    usual = (usual_id(labels.stack, *its) for its in zip(partitions, labels.offsets.tolist(), revisions, strict=True))
    return [its if row is None else row.label_id for row, its in zip(rows, usual, strict=True)]


def _usual_id_of(row: LabelRow) -> str:
    return usual_id(row.stack, row.source_partition, row.source_offset, row.revision)


def _put(columns: dict[int, Any], name: str, column: tuple[int, list[Any]]) -> None:
    if any(value is not None for value in column[1]):
        columns[NUMBER_OF[name]] = column


def _words(values: Sequence[str | None]) -> tuple[list[str | None], list[int]]:
    """Distinct texts in the order they first appear, and the place of each value among them."""
    places: dict[str | None, int] = {}
    at = [places.setdefault(value, len(places)) for value in values]
    return list(places), at


def _with_lists(item: Item, labels: Labels) -> Item:
    """``item`` with the lists for people, as far as they cost no further write unit."""
    if len(labels) > _MOST_LISTED:
        return item
    times = labels.times.tolist()
    start = times[0] // MINUTE_MS * MINUTE_MS
    own = {name: [None if x != x else x for x in labels.numbers[:, at].tolist()] for at, name in enumerate(OWN_NUMBERS)}
    verdicts = labels.shared["label"]
    lists = {
        "labels": text(_spoken(verdicts if len(verdicts) > 1 else list(verdicts) * len(labels))),
        "values": _list(own["value"]),
        "surprises": _list(own["surprise"]),
        "seconds": _list([(time - start) / 1000 for time in times]),
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
    columns = columns_in(item)
    times = sums(columns[NUMBER_OF["event_time"]])
    n = len(times)
    client_id, machine_id = machine_of(item[PARTITION_KEY]["S"])
    stack = item["stack"]["S"]
    fields: dict[str, Sequence[Any]] = {
        "event_time": [moment_at(time_ms) for time_ms in times if time_ms is not None],
        "source_offset": sums(columns[NUMBER_OF["source_offset"]]),
        "signals": _signals([name["S"] for name in item["signals"]["L"]], columns[NUMBER_OF["signals"]], n),
        "partner_offset": _whole(columns, "partner_offset", n),
        "supersedes": columns.get(NUMBER_OF["supersedes"]) or [None] * n,
    }
    for name in _OWN_OBJECTS:
        fields[name] = columns.get(NUMBER_OF[name]) or [None] * n
    for name in OWN_NUMBERS:
        fields[name] = _numbers(columns, name, n)
    for name in SHARED_TEXTS:
        fields[name] = [item[name]["S"]] * n if name in item else _spelled(columns, name, n)
    for name in SHARED_WHOLE:
        fields[name] = [int(item[name]["N"])] * n if name in item else _whole(columns, name, n)
    for name in SHARED_NUMBERS:
        fields[name] = [float(item[name]["N"])] * n if name in item else _numbers(columns, name, n)
    fields["label_id"] = columns.get(NUMBER_OF["label_id"]) or [
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
    columns = columns_in(item)
    if NUMBER_OF["label_id"] in columns:
        return list(columns[NUMBER_OF["label_id"]])
    offsets: list[Any] = list(sums(columns[NUMBER_OF["source_offset"]]))
    n, stack = len(offsets), item["stack"]["S"]
    partitions, revisions = (
        [int(item[name]["N"])] * n if name in item else _whole(columns, name, n)
        for name in ("source_partition", "revision")
    )
    return [usual_id(stack, *its) for its in zip(partitions, offsets, revisions, strict=True)]


def columns_in(item: Item) -> dict[int, Any]:
    """What differs between the labels of an item, by the numbers of :data:`NUMBER_OF`."""
    return dict(_unpack(zlib.decompress(item["columns"]["B"], wbits=-15)))


def _signals(names: Sequence[str], columns: Sequence[Any], n: int) -> list[dict[str, float | None]]:
    if not names:
        return [{} for _ in range(n)]
    return [dict(zip(names, values, strict=True)) for values in zip(*map(numbers_of, columns), strict=True)]


def _numbers(columns: dict[int, Any], name: str, n: int) -> list[float | None]:
    column = columns.get(NUMBER_OF[name])
    return [None] * n if column is None else numbers_of(column)


def _whole(columns: dict[int, Any], name: str, n: int) -> list[Any]:
    column = columns.get(NUMBER_OF[name])
    return [None] * n if column is None else sums(column)


def _spelled(columns: dict[int, Any], name: str, n: int) -> list[str | None]:
    column = columns.get(NUMBER_OF[name])
    return [None] * n if column is None else [column[0][at] for at in column[1]]
