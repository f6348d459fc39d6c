"""Readings are read the same by the fast way and by pydantic, in every form, and refused with a reason."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import decoding
from schemas.decoding import Decoded, decode_reading
from schemas.errors import BadReading

NUMBERS = st.one_of(st.none(), st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False))
NAMES = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1, max_size=20
)


def read(**fields: object) -> Decoded:
    return decode_reading(msgspec.json.encode({"machine_id": "well-1", "time": 1_700_000_000, **fields}))


def same(one: Decoded, other: Decoded) -> bool:
    def plain(decoded: Decoded) -> tuple[object, ...]:
        return (*decoded._replace(values={}), {k: None if math.isnan(v) else v for k, v in decoded.values.items()})

    return plain(one) == plain(other)


@given(
    machine=NAMES,
    client=st.one_of(st.none(), NAMES),
    time=st.one_of(
        st.integers(1, 4_000_000_000),
        st.floats(1.0, 4e9),
        st.datetimes(timezones=st.just(__import__("datetime").UTC)).filter(lambda d: 1971 < d.year < 2099).map(str),
        st.just("2026-11-24T02:44:10.123Z"),
        st.just("2026-11-24T02:44:10"),
    ),
    signals=st.dictionaries(
        st.sampled_from(["casing_pressure", "tubing_pressure", "line_pressure", "flow_rate"]), NUMBERS, min_size=1
    ),
    unit=st.sampled_from([None, "psi", "kPa", "bar", "MPa"]),
    quality=st.sampled_from(["good", "uncertain", "bad"]),
)
def test_the_fast_way_and_pydantic_read_the_same(
    machine: str, client: str | None, time: object, signals: dict[str, float | None], unit: str | None, quality: str
) -> None:
    body = {"machine_id": machine, "time": time, **signals, "unit": unit, "quality": quality}
    if client is not None:
        body["client_id"] = client
    message = msgspec.json.encode(body)
    assert same(decode_reading(message), decoding._decode_any(message))


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ({"casing_pressure": 300, "tubing_pressure": 200.5}, {"casing_pressure": 300.0, "tubing_pressure": 200.5}),
        ({"Casing Pressure": 300, "Tubing Pressure": 200}, {"casing_pressure": 300.0, "tubing_pressure": 200.0}),
        ({"casing_pressure": 300, "pump_current": 7}, {"casing_pressure": 300.0, "pump_current": 7.0}),
        ({"signals": {"Flowrate": 60, "Line Pressure": 80}}, {"flow_rate": 60.0, "line_pressure": 80.0}),
    ],
)
def test_wide_readings_go_by_many_names(fields: dict[str, object], values: dict[str, float]) -> None:
    decoded = read(**fields)
    assert (decoded.tag, dict(decoded.values)) == (None, values)


def test_a_reading_by_tag_names_its_signal() -> None:
    decoded = read(tag="Casing Pressure", value=28.4, unit="bar")
    assert (decoded.tag, dict(decoded.values)) == ("casing_pressure", {"casing_pressure": 28.4})
    assert decoded.psi_per_unit == pytest.approx(14.5038, abs=1e-4)


def test_null_and_python_s_nan_are_missing_values() -> None:
    assert math.isnan(read(casing_pressure=None).values["casing_pressure"])
    decoded = decode_reading(b'{"machine_id": "w", "time": 1700000000, "casing_pressure": NaN, "flow_rate": Infinity}')
    assert math.isnan(decoded.values["casing_pressure"])
    assert math.isinf(decoded.values["flow_rate"])


@pytest.mark.parametrize(
    "time", [1_700_000_000, 1_700_000_000_000, 1.7e15, 1.7e18, "2023-11-14T22:13:20Z", "1700000000"]
)
def test_time_may_be_iso_8601_or_any_epoch(time: object) -> None:
    assert read(time=time, flow_rate=1).time_ms == 1_700_000_000_000


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"{", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"17", "not_a_reading"),
        (b"{}", "not_a_reading"),
        (b'{"machine_id": "w", "time": 1700000000}', "not_a_reading"),
        (b'{"machine_id": "", "time": 1700000000, "flow_rate": 1}', "not_a_reading"),
        (b'{"machine_id": "w\\u0000", "time": 1700000000, "flow_rate": 1}', "not_a_reading"),
        (b'{"machine_id": 7, "time": 1700000000, "flow_rate": 1}', "not_a_reading"),
        (b'{"machine_id": "w", "time": 1700000000, "flow_rate": "much"}', "not_a_reading"),
        (b'{"machine_id": "w", "time": 1700000000, "flow_rate": {"a": 1}}', "not_a_reading"),
        (b'{"machine_id": "w", "time": 1700000000, "signals": [1]}', "not_a_reading"),
        (b'{"machine_id": "w", "time": 1700000000, "flow_rate": 1, "signals": [1]}', "not_a_reading"),
        (b'{"machine_id": "*", "time": 1700000000, "flow_rate": 1}', "not_a_reading"),
        (b'{"machine_id": "w", "time": 1700000000, "tag": 5, "value": 1}', "not_a_reading"),
        (b'{"machine_id": "w", "time": "yesterday", "flow_rate": 1}', "bad_time"),
        (b'{"machine_id": "w", "time": -5, "flow_rate": 1}', "bad_time"),
        (b'{"machine_id": "w", "time": 1e40, "flow_rate": 1}', "bad_time"),
        (b'{"machine_id": "w", "time": true, "flow_rate": 1}', "bad_time"),
        (b'{"machine_id": "w", "time": 1' + b"0" * 400 + b', "flow_rate": 1}', "bad_time"),
        (b'{"machine_id": "w", "time": 1700000000, "flow_rate": 1, "unit": "furlong"}', "unknown_unit"),
    ],
)
def test_what_is_no_reading_is_refused_with_its_reason(message: bytes, reason: str) -> None:
    with pytest.raises(BadReading) as refused:
        decode_reading(message)
    assert refused.value.reason == reason
    assert str(refused.value)


def is_read_or_refused(message: bytes) -> bool:
    try:
        return bool(decode_reading(message).machine_id)
    except BadReading as refused:
        return bool(refused.detail)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_read_or_refused(message: bytes) -> None:
    assert is_read_or_refused(message)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(
                st.one_of(
                    st.sampled_from(["machine_id", "time", "tag", "value", "signals", "unit"]), st.text(max_size=8)
                ),
                inner,
                max_size=6,
            ),
        ),
        max_leaves=12,
    )
)
def test_no_json_does_anything_but_be_read_or_refused(data: object) -> None:
    assert is_read_or_refused(msgspec.json.encode(data))
