"""Messages that are no readings, or only just, made from a seed: what broken sensors, bad programs and hostile clients send.

Each kind is a small function of a random generator. Of most kinds it is known what must become of them; where it is not (a
mutated message may still be a reading) exactly one of the two must happen: a label or a rejection. Machines of poison have
names of their own, so that whatever is read out of it says nothing of a good machine.
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

Fate = Literal["rejected", "labelled", "either"]

START_S = 1_700_000_000


class Poison(NamedTuple):
    """One message, and what must become of it."""

    kind: str
    key: bytes | None
    value: bytes | None
    fate: Fate


Made = tuple[bytes | None, bytes | None, Fate]
Kind = Callable[[random.Random], Made]


def poison(seed: int, count: int) -> Iterator[Poison]:
    """``count`` messages of all kinds, in an order that only the seed decides."""
    rng = random.Random(seed)
    for number in range(count):
        # Each kind comes once before chance decides, so that few messages hold all of them too.
        kind = KINDS[number] if number < len(KINDS) else rng.choice(KINDS)
        key, value, fate = kind(rng)
        yield Poison(kind.__name__.strip("_"), key, value, fate)


# -- good ones, to be spoiled


def _reading(rng: random.Random) -> dict[str, Any]:
    return {
        "client_id": "mallory",
        "machine_id": f"evil-{rng.randrange(50):02d}",
        "time": START_S + 60 * rng.randrange(100_000),
        "casing_pressure": round(rng.uniform(100, 900), 2),
        "tubing_pressure": round(rng.uniform(10, 90), 2),
    }


def _tagged(rng: random.Random) -> dict[str, Any]:
    wide = _reading(rng)
    del wide["casing_pressure"], wide["tubing_pressure"]
    # Tags have machines of their own: wide readings and tags of one machine are paired with each other.
    tag = rng.choice(["Casing Pressure", "Tubing Pressure"])
    return {**wide, "machine_id": f"evil-tag-{rng.randrange(50):02d}", "tag": tag, "value": rng.uniform(0, 500)}


def _sent(reading: dict[str, Any], fate: Fate, **changes: Any) -> Made:
    changed = {**reading, **changes}
    return str(reading["machine_id"]).encode(), json.dumps(changed).encode(), fate


def _without(reading: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in reading.items() if name not in names}


def _spliced(rng: random.Random, field: str, text: str, fate: Fate) -> Made:
    """A reading with ``text`` in the place of a field's value, as it stands."""
    reading = _reading(rng)
    mark = "\x00mark\x00"
    body = json.dumps({**reading, field: mark}).replace(json.dumps(mark), text)
    return reading["machine_id"].encode(), body.encode("utf-8", "surrogatepass"), fate


# -- no JSON


def _cut_short(rng: random.Random) -> Made:
    key, value, _ = _sent(_reading(rng), "rejected")
    assert value is not None
    return key, value[: rng.randrange(len(value))], "rejected"


def _noise(rng: random.Random) -> Made:
    return b"evil-00", b"\xff" + rng.randbytes(rng.randrange(200)), "rejected"


def _two_in_one(rng: random.Random) -> Made:
    key, value, _ = _sent(_reading(rng), "rejected")
    assert value is not None
    return key, value + rng.choice([b"\n", b" ", b",", b""]) + value, "rejected"


def _bad_utf8(rng: random.Random) -> Made:
    key, value, _ = _sent(_reading(rng), "rejected", machine_id="evil-MARK")
    assert value is not None
    return (
        key,
        value.replace(b"MARK", rng.choice([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"])),
        "rejected",
    )


def _bad_utf8_in_key(rng: random.Random) -> Made:
    _, value, _ = _sent(_reading(rng), "rejected")
    return b"evil-\xff\xfe", value, "rejected"


def _lone_surrogate(rng: random.Random) -> Made:
    return _spliced(rng, rng.choice(["machine_id", "client_id", "unit"]), '"evil-\\ud800"', "rejected")


def _deeply_nested(rng: random.Random) -> Made:
    depth = rng.choice([50, 300, 5_000, 30_000])
    start, end = rng.choice([("[", "]"), ('{"a":', "}")])
    if rng.random() < 0.5:
        return b"evil-00", (start * depth + "1" + end * depth).encode()[:65_000], "rejected"
    depth = min(depth, 5_000)
    return _spliced(
        rng, rng.choice(["time", "casing_pressure", "signals"]), start * depth + "1" + end * depth, "rejected"
    )


def _other_json(rng: random.Random) -> Made:
    return (
        b"evil-00",
        rng.choice([b"null", b"true", b"12", b'"text"', b"[]", b"[{}]", b"{}", b"", b" ", b"\x00"]),
        "rejected",
    )


# -- JSON of another shape


_ODD: list[Any] = [None, True, [], {}, [1], {"a": 1}, "", "abc", -1, 1.5, 10**30]


def _wrong_type(rng: random.Random) -> Made:
    field = rng.choice(["client_id", "machine_id", "time", "casing_pressure", "tubing_pressure", "unit", "quality"])
    return _sent(_reading(rng), "either", **{field: rng.choice(_ODD)})


def _field_left_out(rng: random.Random) -> Made:
    reading = _reading(rng)
    key, _, _ = _sent(reading, "rejected")
    names = rng.choice([("machine_id",), ("time",), ("casing_pressure", "tubing_pressure")])
    return key, json.dumps(_without(reading, *names)).encode(), "rejected"


def _wrong_tag(rng: random.Random) -> Made:
    field, value = rng.choice(
        [("tag", 7), ("tag", ""), ("tag", None), ("tag", "x" * 500), ("value", "high"), ("value", [])]
    )
    return _sent(_tagged(rng), "rejected", **{field: value})


def _bad_name(rng: random.Random) -> Made:
    name = rng.choice(["", "*", "x" * 129, "evil\n1", "evil\x001", "evil\x1f1", "evil\x7f", "\t", "x" * 5_000])
    reading = _reading(rng)
    if rng.random() < 0.5:
        return name.encode(), json.dumps({**reading, "machine_id": name}).encode(), "rejected"
    return _sent(reading, "either" if name == "*" else "rejected", client_id=name)


_ODD_NAMES = ["évil-ø", "井-7", "evil/../..", "evil\u2028", "evil \u202e", "'; drop table", "evil\U0001f525", "-"]


def _odd_name(rng: random.Random) -> Made:
    # Ugly, and allowed: they must come through all the way to DynamoDB.
    name = rng.choice(_ODD_NAMES)
    reading = {**_reading(rng), "machine_id": name}
    return name.encode(), json.dumps(reading, ensure_ascii=rng.random() < 0.5).encode(), "labelled"


def _many_signals(rng: random.Random) -> Made:
    many = {f"s{number}": float(number) for number in range(rng.choice([65, 500, 3_000]))}
    return _sent(_reading(rng), "rejected", **(many if rng.random() < 0.5 else {"signals": many}))


def _no_signal_s_name(rng: random.Random) -> Made:
    return _sent(_reading(rng), "rejected", **{rng.choice(["", "9lives", "---", "x" * 200, "\x00", "\n"]): 1.0})


def _unknown_unit(rng: random.Random) -> Made:
    return _sent(_reading(rng), "rejected", unit=rng.choice(["furlong", "", "x" * 17, "PSI;", "\x00", "ßar"]))


# -- numbers and times


_NO_TIMES = [
    "-1", "-1e300", "4102444801", "1e20", "1e400", "NaN", "Infinity", "-Infinity", "null", '""', '"yesterday"',
    '"0000-00-00"', '"9999-12-31T23:59:59Z"', '"1969-12-31T23:59:59Z"', "1" + "0" * 400, "1" + "0" * 5_000,
]  # fmt: skip
_FAR_TIMES = [
    "0", "1", "-0.0", "4102444799", "4102444799999", "1e15", '"2099-12-31T23:59:59.999999Z"', '"1970-01-01T00:00:00+14:00"',
]  # fmt: skip


def _no_time(rng: random.Random) -> Made:
    return _spliced(rng, "time", rng.choice(_NO_TIMES), "rejected")


def _far_time(rng: random.Random) -> Made:
    return _spliced(rng, "time", rng.choice(_FAR_TIMES), "either")


def _huge_number(rng: random.Random) -> Made:
    digits = rng.choice([100, 308, 309, 400, 4_299, 4_301, 20_000])
    number = rng.choice(["1" * digits, "-" + "9" * digits, f"1e{digits}", f"0.{'0' * digits}1", f"1.{'3' * digits}"])
    return _spliced(rng, "casing_pressure", number, "either")


def _not_a_number(rng: random.Random) -> Made:
    return _spliced(rng, "casing_pressure", rng.choice(["NaN", "Infinity", "-Infinity", "null"]), "labelled")


def _wild_number(rng: random.Random) -> Made:
    value = rng.choice([1e308, -1e308, 5e-324, -0.0, 1e12, -1e12, 9999, -999.25, 20_001, -16, 2**53 + 1, 2**63, 2**64])
    return _sent(_reading(rng), "labelled", **{rng.choice(["casing_pressure", "tubing_pressure"]): value})


def _huge_text(rng: random.Random) -> Made:
    size = rng.choice([60_000, 65_537, 200_000, 900_000])
    # One in ten is really large: a broker takes messages up to about a megabyte.
    if size > 100_000 and rng.random() < 0.9:
        size = 65_537
    field = rng.choice(["machine_id", "client_id", "unit", "quality"])
    return _sent(_reading(rng), "rejected", **{field: "x" * size})


def _huge_key(rng: random.Random) -> Made:
    _, value, _ = _sent(_reading(rng), "rejected")
    return b"k" * rng.choice([129, 10_000, 60_000]), value, "rejected"


# -- keys


def _no_key(rng: random.Random) -> Made:
    return None, _sent(_reading(rng), "rejected")[1], "rejected"


def _no_value(rng: random.Random) -> Made:
    return rng.choice([b"", b"evil-00"]), None, "rejected"


def _someone_elses_key(rng: random.Random) -> Made:
    key = rng.choice([b"", b"evil-99", b"evil-00 ", b"EVIL-00", b"\x00", b"evil-0", b"evil-000"])
    return key, json.dumps({**_reading(rng), "machine_id": "evil-00"}).encode(), "rejected"


def _twice_the_same_field(rng: random.Random) -> Made:
    reading = _reading(rng)
    body = (
        json.dumps(reading)[:-1] + ', "machine_id": "evil-twice", "time": 5, "casing_pressure": "x", "time": 1700000000'
    )
    body += ', "casing_pressure": 7}'
    return rng.choice([reading["machine_id"].encode(), b"evil-twice"]), body.encode(), "either"


# -- mutations


def _mutated(rng: random.Random) -> Made:
    key, value, _ = _sent(_reading(rng) if rng.random() < 0.7 else _tagged(rng), "either")
    assert value is not None
    changed = bytearray(value)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        at = rng.randrange(len(changed))
        match rng.randrange(4):
            case 0:
                changed[at] = rng.randrange(256)
            case 1:
                changed[at] ^= 1 << rng.randrange(8)
            case 2:
                del changed[at : at + rng.randrange(1, 5)]
            case _:
                changed[at:at] = bytes(changed[at : at + rng.randrange(1, 9)])
        if not changed:
            break
    return key, bytes(changed), "either"


KINDS: list[Kind] = [
    _cut_short, _noise, _two_in_one, _bad_utf8, _bad_utf8_in_key, _lone_surrogate, _deeply_nested, _other_json, _wrong_type,
    _field_left_out, _wrong_tag, _bad_name, _odd_name, _many_signals, _no_signal_s_name, _unknown_unit, _no_time, _far_time,
    _huge_number, _not_a_number, _wild_number, _huge_text, _huge_key, _no_key, _no_value, _someone_elses_key,
    _twice_the_same_field, _mutated,
]  # fmt: skip
