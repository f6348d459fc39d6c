"""Labels for tests of the store: one by one, any that can be, and minutes as machines give them."""

import random
from typing import Any, get_args

from hypothesis import strategies as st

from schemas.labels import AlertState, Label, Rung, UnscoredReason, Verdict
from schemas.times import LATEST_MS
from streams.label_store.rows import LabelRow, moment_at, usual_id

MINUTE_MS = 60_000
START_MS = 1_795_488_240_000  # 2026-11-24T02:44:00Z


def a_row(offset: int = 7, time_ms: int = START_MS, **fields: Any) -> LabelRow:
    """One scored label of well-7."""
    given: dict[str, Any] = {
        "client_id": "acme",
        "machine_id": "well-7",
        "stack": "load",
        "event_time": moment_at(time_ms),
        "signals": {"casing_pressure": 412.5, "tubing_pressure": 260.1},
        "feature": "load",
        "value": 152.4,
        "median": 151.9,
        "expected_low": 140.25,
        "expected_high": 160.75,
        "score": 0.412,
        "surprise": 0.301,
        "views": None,
        "because": None,
        "label": "normal",
        "reason": None,
        "alert": "quiet",
        "incident_id": None,
        "detector": "isolation_forest",
        "model_digest": "0123456789abcdef",
        "model_rung": "own",
        "model_since_offset": 3,
        "code_version": "0.1.0",
        "git_commit": "1eaad7f0c0b6a0d94d0f9f9f3a61c2e07b123456",
        "source_topic": "wellsentry.readings",
        "source_partition": 3,
        "source_offset": offset,
        "partner_offset": None,
        "revision": 0,
        "supersedes": None,
    } | fields
    own_id = usual_id(given["stack"], given["source_partition"], offset, given["revision"])
    return LabelRow(**({"label_id": own_id} | given))


def a_label(offset: int = 7, time_ms: int = START_MS, **fields: Any) -> Label:
    """The same as pydantic has it."""
    row = a_row(offset, time_ms, **fields)
    return Label.model_validate({name: getattr(row, name) for name in LabelRow.__struct_fields__})


def minutes_of_rows(machines: int, seconds: int, step_s: int, seed: int = 1) -> list[LabelRow]:
    """Labels of wells whose pressures wander, in the order in which they would come. Pressures have one decimal."""
    dice = random.Random(seed)
    casing = [400.0 + 100 * dice.random() for _ in range(machines)]
    rows = []
    for second in range(0, seconds, step_s):
        for machine in range(machines):
            casing[machine] = round(casing[machine] + dice.gauss(0, 0.4), 1)
            tubing = round(250 + dice.gauss(0, 0.4), 1)
            value = round(casing[machine] - tubing, 6)
            rows.append(
                a_row(
                    1_000_000 + len(rows),
                    START_MS + 1000 * second,
                    machine_id=f"well-{machine:04d}",
                    signals={"casing_pressure": casing[machine], "tubing_pressure": tubing},
                    value=value,
                    median=round(value + dice.choice((-0.2, 0.0, 0.3)), 6),
                    score=round(dice.uniform(0.35, 0.6), 3),
                    surprise=round(dice.expovariate(2.3), 3),
                )
            )
    return rows


# -- any label

_OFFSETS = st.integers(0, 2**63 - 1)
_NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.decimals(-500, 500, places=3).map(float)
_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
_TEXTS = st.text(max_size=6)


def _of(literal: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(get_args(literal))


#: Few machines and few minutes, so that labels meet in an item; everything else as wild as the schema allows.
ANY_ROW: st.SearchStrategy[LabelRow] = st.builds(
    LabelRow,
    label_id=_TEXTS,
    client_id=st.sampled_from(["a", "a/b", "a%2Fb"]),
    machine_id=st.sampled_from(["c", "b/c", "ü #"]),
    stack=st.sampled_from(["load", "flow", "", "#" * 80]),
    event_time=(st.integers(0, 180_000).map(lambda ms: START_MS + ms) | st.integers(0, LATEST_MS)).map(moment_at),
    signals=st.dictionaries(st.sampled_from(["casing_pressure", "flow_rate", "ü"]), _NUMBERS, max_size=3),
    feature=_TEXTS,
    value=_NUMBERS,
    median=_NUMBERS,
    expected_low=_NUMBERS,
    expected_high=_NUMBERS,
    score=_NUMBERS,
    surprise=_NUMBERS,
    views=st.none() | st.dictionaries(st.sampled_from(["level", "forest"]), st.floats(0, 6), max_size=2),
    because=st.none() | _TEXTS,
    label=_of(Verdict),
    reason=st.none() | _of(UnscoredReason),
    alert=_of(AlertState),
    incident_id=st.none() | _TEXTS,
    detector=_TEXTS,
    model_digest=st.none() | _TEXTS,
    model_rung=st.none() | _of(Rung),
    model_since_offset=st.none() | st.integers(-1, 2**62),
    code_version=_TEXTS,
    git_commit=_TEXTS,
    source_topic=_TEXTS,
    source_partition=st.integers(0, 3) | _OFFSETS,
    source_offset=st.integers(0, 50) | _OFFSETS,
    partner_offset=st.none() | st.integers(0, 2**62),
    revision=st.integers(0, 2) | _OFFSETS,
    supersedes=st.none() | _TEXTS,
)
