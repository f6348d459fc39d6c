"""What changed before a label, in sentences: its signals, their unit, the model. Most complaints end here."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from schemas.labels import Label
from schemas.units import PSI_PER

#: Labels that tell how it was, and how it is now.
_BEFORE: Final = 150
_THEN: Final = 30
_NOW: Final = 10
#: A change of so many usual deviations is one.
_DEVIATIONS: Final = 5.0
#: Two units are told by their factor, if it is met to a twentieth.
_FACTOR_MET: Final = 0.05


def what_changed(label: Label, labels: Iterable[Label]) -> list[str]:
    """``labels``: of the same machine and stack. Nothing where too few came before."""
    by_offset = {one.source_offset: one for one in labels if one.event_time < label.event_time}  # the last revisions
    before = sorted(by_offset.values(), key=lambda one: one.event_time)[-_BEFORE:]
    if len(before) < _THEN + _NOW:
        return []
    return [*_signals(label, before), *_model(label, before)]


def _signals(label: Label, before: Sequence[Label]) -> Iterable[str]:
    first, last = before[:_THEN], [*before[1 - _NOW :], label]
    hours = (label.event_time - first[-1].event_time).total_seconds() / 3600
    for name in label.signals:
        then, now = _values(first, name), _values(last, name)
        if not then or not now:
            continue
        middle, newest = median(then), median(now)
        deviation = 1.4826 * median([abs(value - middle) for value in then])
        if abs(newest - middle) > max(_DEVIATIONS * deviation, 1e-6):
            unit = _unit(newest / middle) if middle else None
            said = (
                ""
                if unit is None
                else f", by a factor of {newest / middle:.3g}: as if it came in {unit} now, and did not say so"
            )
            yield f"{name} went from {middle:.1f} to {newest:.1f} within {hours:.1f} h{said}"


def _model(label: Label, before: Sequence[Label]) -> Iterable[str]:
    other = [one for one in before if one.model_digest not in (None, label.model_digest)]
    same = [one for one in before if one.model_digest == label.model_digest]
    if not other or label.model_digest is None or label.expected_low is None:
        return
    old = next((one for one in reversed(other) if one.expected_low is not None), None)
    if (
        old is None
        or old.median is None
        or label.median is None
        or (same and other[-1].event_time > same[0].event_time)
    ):
        return
    yield (
        f"with model {label.model_digest}, since offset {label.model_since_offset}, usual went from "
        f"{old.expected_low:.1f} … {old.expected_high:.1f} to {label.expected_low:.1f} … {label.expected_high:.1f}, while the "
        f"median went from {old.median:.1f} to {label.median:.1f}"
    )


def _values(labels: Iterable[Label], name: str) -> list[float]:
    return [value for one in labels if (value := one.signals.get(name)) is not None]


def _unit(factor: float) -> str | None:
    """The unit that a signal in psi would have to be sent in to be ``factor`` times as large.

    >>> _unit(0.0689), _unit(6.9), _unit(0.9)
    ('bar', 'kpa', None)
    """
    if factor <= 0.0:
        return None
    return next(
        (unit for unit, psi in PSI_PER.items() if psi != 1.0 and abs(math.log(factor * psi)) < _FACTOR_MET), None
    )
