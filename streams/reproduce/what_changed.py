"""What changed before a label, in sentences: its signals, their unit, the model. Most complaints end here."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from schemas.labels import Label
from schemas.units import PSI_PER

#: Labels before it that are looked at; of these the first tell how it was. How it is now, the label and those after it tell.
_BEFORE: Final = 150
_THEN: Final = 30
_NOW: Final = 10
#: A median of so many values is off by so many deviations of one value, divided by the root of their number.
_OF_A_MEDIAN: Final = 1.253
_PER_MAD: Final = 1.4826
#: A change by so many times what two medians differ by anyway is one.
_AT_LEAST: Final = 4.0
#: Two units are told by their factor, if it is met to a twentieth.
_FACTOR_MET: Final = 0.05


def what_changed(label: Label, labels: Iterable[Label]) -> list[str]:
    """``labels``: of the same machine and stack, before it and after it. Nothing where too few came before."""
    of_reading = {one.source_offset: one for one in labels} | {label.source_offset: label}  # the last revisions
    ordered = sorted(of_reading.values(), key=lambda one: (one.event_time, one.source_offset))
    at = ordered.index(label)
    before, now = ordered[max(0, at - _BEFORE) : at], ordered[at : at + _NOW]
    if len(before) < _THEN + _NOW:
        return []
    if len(now) < _NOW // 2:  # it is the newest
        now = ordered[-_NOW // 2 :]
    return [*_signals(label, before[:_THEN], now), *_model(label, before)]


def _signals(label: Label, first: Sequence[Label], last: Sequence[Label]) -> Iterable[str]:
    hours = (label.event_time - first[-1].event_time).total_seconds() / 3600
    for name in label.signals:
        then, now = _values(first, name), _values(last, name)
        if not then or not now:
            continue
        middle, newest = median(then), median(now)
        deviation = _PER_MAD * median([abs(value - middle) for value in then])
        anyway = _OF_A_MEDIAN * deviation * math.sqrt(1 / len(then) + 1 / len(now))
        if abs(newest - middle) > max(_AT_LEAST * anyway, 1e-6):
            unit = _unit(newest / middle) if middle else None
            said = "" if unit is None else f", to its {newest / middle:.4f}: as if it came in {unit} and did not say so"
            yield f"{name} went from {middle:.1f} to {newest:.1f} within {hours:.1f} h{said}"


def _model(label: Label, before: Sequence[Label]) -> Iterable[str]:
    """What is usual by the model in force, if the one before it had another opinion."""
    old = next((one for one in reversed(before) if one.model_digest not in (None, label.model_digest)), None)
    new = next((one for one in (label, *reversed(before)) if one.expected_low is not None), label)
    if old is None or new.model_digest != label.model_digest or old.median is None or new.median is None:
        return
    if None in (old.expected_low, old.expected_high, new.expected_low, new.expected_high):
        return
    (low, high), (now_low, now_high) = _usual(old), _usual(new)
    if now_low <= high and low <= now_high:  # they overlap
        return
    yield (
        f"with model {label.model_digest}, in force since offset {label.model_since_offset}, usual went from {low:.1f} … "
        f"{high:.1f} to {now_low:.1f} … {now_high:.1f}, while the median went from {old.median:.1f} to {new.median:.1f}"
    )


def _usual(label: Label) -> tuple[float, float]:
    return label.expected_low or 0.0, label.expected_high or 0.0


def _values(labels: Iterable[Label], name: str) -> list[float]:
    return [value for one in labels if (value := one.signals.get(name)) is not None]


def _unit(factor: float) -> str | None:
    """The unit that a pressure in psi would have to come in to be ``factor`` times as large.

    >>> _unit(0.0689), _unit(6.9), _unit(0.9)
    ('bar', 'kpa', None)
    """
    if factor <= 0.0:
        return None
    return next(
        (unit for unit, psi in PSI_PER.items() if psi != 1.0 and abs(math.log(factor * psi)) < _FACTOR_MET), None
    )
