"""A worker's steps for one reading in plain Python, with the standard library and msgspec: what a careful team would write.

Decoded and checked, known by its offset, in order of time, spikes and stuck values left out, the load, its rolling median,
the forest's look-up with its calibrated surprise, an alert with hysteresis and cool-down, a label with all fields. None of
the other views that the worker's detector has.
"""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

WINDOW = 40
LEAST_VALID = 10
SENTINELS = frozenset((-9999.0, 9999.0, -999.0, -999.25, 32767.0, -32768.0, 65535.0))
ANOMALOUS_AT, OPEN_AFTER, CLOSE_SHARE, CLOSE_AFTER, COOL_DOWN_S = 4.0, 3, 0.5, 5, 1800


class Reading(msgspec.Struct, forbid_unknown_fields=True):
    """A wide reading."""

    client_id: str
    machine_id: str
    time: float
    casing_pressure: float | None = None
    tubing_pressure: float | None = None


class Feature(msgspec.Struct):
    """What a model says of one feature."""

    edges: list[float]
    scores: list[float]
    surprises: list[float]
    expected_low: float
    expected_high: float


class Model(msgspec.Struct):
    """The part of a model update that scores."""

    digest: str
    client_id: str
    machine_id: str
    features: list[Feature]


class Label(msgspec.Struct):
    """The fields of the worker's label."""

    label_id: str
    client_id: str
    machine_id: str
    stack: str
    event_time: str
    signals: dict[str, float | None]
    feature: str
    value: float | None
    median: float | None
    expected_low: float | None
    expected_high: float | None
    score: float | None
    surprise: float | None
    views: dict[str, float] | None
    because: str | None
    label: str
    reason: str | None
    alert: str
    incident_id: str | None
    detector: str
    model_digest: str | None
    model_rung: str | None
    model_since_offset: int | None
    code_version: str
    git_commit: str
    source_topic: str
    source_partition: int
    source_offset: int
    partner_offset: int | None
    revision: int
    supersedes: str | None


decode_reading = msgspec.json.Decoder(Reading).decode
decode_model = msgspec.json.Decoder(Model).decode
encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Machine:
    """State of one machine."""

    offset: int = -1
    newest_s: float = -1.0
    window: deque[float] = field(default_factory=deque)
    ordered: list[float] = field(default_factory=list)
    last: tuple[float, float] = (-1.0, -1.0)
    same: int = 0
    stride: float = 0.0
    believed: int = 0
    streak: int = 0
    alert: bool = False
    opened: int = -1
    peak: float = 0.0
    cool_until_s: float = 0.0


def _usable(x: float | None) -> bool:
    return x is not None and x == x and x not in SENTINELS and -50.0 <= x <= 20_000.0


def _quality(machine: Machine, casing: float, tubing: float) -> str | None:
    """Why the values cannot be what was measured; None if they can."""
    before = machine.last
    machine.last = (casing, tubing)
    if (casing, tubing) == before:
        machine.same += 1
        return "frozen" if machine.same >= 600 else None
    machine.same = 0
    step = max(abs(casing - before[0]), abs(tubing - before[1]))
    if machine.believed >= 20 and step > 2.0 * machine.stride + 0.05 * abs(before[0]):
        machine.last = before
        return "spike"
    if machine.believed > 0:
        machine.stride = max(0.9995 * machine.stride, step)
    machine.believed += 1
    return None


def judge(
    machine: Machine, model: Model | None, reading: Reading, topic: str, partition: int, offset: int
) -> Label | None:
    """The label of a reading, and the machine's state moved on; None for a repeat."""
    if offset <= machine.offset:
        return None
    machine.offset = offset
    casing, tubing = reading.casing_pressure, reading.tubing_pressure
    value = median = score = surprise = low = high = None
    reason: str | None = None
    if reading.time <= machine.newest_s:
        reason = "too_late"
    elif not (_usable(casing) and _usable(tubing)):
        reason = "missing_signal"
    else:
        assert casing is not None
        assert tubing is not None
        machine.newest_s = reading.time
        reason = _quality(machine, casing, tubing)
        if reason is None:
            value = casing - tubing
            machine.window.append(value)
            insort(machine.ordered, value)
            if len(machine.window) > WINDOW:
                del machine.ordered[bisect_left(machine.ordered, machine.window.popleft())]
            n = len(machine.ordered)
            half = n // 2
            median = machine.ordered[half] if n % 2 else (machine.ordered[half - 1] + machine.ordered[half]) / 2
            if n < LEAST_VALID or model is None:
                reason = "warming_up"
            else:
                found = model.features[0]
                at = bisect_left(found.edges, median)
                score, surprise = found.scores[at], found.surprises[at]
                low, high = found.expected_low, found.expected_high
    alert, opened = "quiet", -1
    if surprise is not None:
        alert, opened = _alert(machine, surprise, reading.time, offset)
    elif machine.alert:
        alert, opened = "open", machine.opened
    verdict = "unscored" if surprise is None else "anomalous" if surprise >= ANOMALOUS_AT else "normal"
    moment = datetime.fromtimestamp(reading.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return Label(
        f"load-{partition}-{offset}-0", reading.client_id, reading.machine_id, "load", moment,
        {"casing_pressure": casing, "tubing_pressure": tubing}, "load", _rounded(value), _rounded(median), low, high, score,
        surprise, None, None, verdict, reason, alert, None if opened < 0 else f"inc-load-{partition}-{opened}-0",
        "isolation_forest", model and model.digest, "own" if model else None, 0 if model else None, "bench", "bench", topic,
        partition, offset, None, 0, None,
    )  # fmt: skip


def _rounded(x: float | None) -> float | None:
    return None if x is None else round(x, 6) + 0.0


def _alert(machine: Machine, surprise: float, now_s: float, offset: int) -> tuple[str, int]:
    if machine.alert:
        machine.peak = max(machine.peak, surprise)
        machine.streak = machine.streak + 1 if surprise < CLOSE_SHARE * machine.peak else 0
        if machine.streak < CLOSE_AFTER:
            return "open", machine.opened
        machine.alert, machine.streak, machine.cool_until_s = False, 0, now_s + COOL_DOWN_S
        return "closed", machine.opened
    machine.streak = machine.streak + 1 if surprise >= ANOMALOUS_AT and now_s >= machine.cool_until_s else 0
    if machine.streak < OPEN_AFTER:
        return "quiet", -1
    machine.alert, machine.streak, machine.peak, machine.opened = True, 0, surprise, offset
    return "opened", offset


def state_of(machine: Machine) -> dict[str, Any]:
    """A machine's state as plain values, for stores that keep JSON."""
    return {
        "offset": machine.offset, "newest_s": machine.newest_s, "window": list(machine.window), "last": list(machine.last),
        "same": machine.same, "stride": machine.stride, "believed": machine.believed, "streak": machine.streak,
        "alert": machine.alert, "opened": machine.opened, "peak": machine.peak, "cool_until_s": machine.cool_until_s,
    }  # fmt: skip


def machine_of(state: dict[str, Any] | None) -> Machine:
    """The reverse of :func:`state_of`; a new machine for None."""
    if state is None:
        return Machine()
    made = Machine(**{**state, "window": deque(state["window"]), "last": tuple(state["last"])})
    made.ordered = sorted(made.window)
    return made
