"""A machine over time: a lane for each signal, what is missing and what stands still shaded, strange stretches marked."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from models.explore.sampling import gap_limit_ms
from models.explore.series import Series
from models.explore.thinning import thinned
from models.explore.words import day, duration, number, words
from schemas.exploration import MachineExploration, SignalExploration, Strange, Stretch
from schemas.times import datetime_to_ms
from streams.explore.pictures.svg import (
    LEFT,
    RIGHT,
    WIDTH,
    Scale,
    box,
    line,
    padded,
    picture,
    rule,
    text,
    ticks,
    time_axis,
)

_LANE: Final = 84
_BETWEEN: Final = 10
_TOP: Final = 6
_AXIS: Final = 24
#: So far beyond 98 % of the values a lane shows them all; beyond this the rest would be a flat line.
_SHOWN_REACHES: Final = 1.0
#: A signal's colour, by its name; others take turns.
_COLOURS: Final = {"casing_pressure": 1, "tubing_pressure": 2, "line_pressure": 3, "flow_rate": 4, "load": 5}


def colour(signal: str, place: int) -> str:
    """The class that colours a signal.

    >>> colour("load", 0), colour("pump_current", 7)
    ('c5', 'c7')
    """
    return f"c{_COLOURS.get(signal, 6 + place % 3)}"


def lanes(series: Series, its: MachineExploration, columns: int, around: Strange | None = None) -> str:
    """All of the time there is, or the surroundings of a strange stretch: three times as long as it."""
    start_ms, end_ms = int(series.time_ms[0]), int(series.time_ms[-1])
    if around is not None:
        begin, end = datetime_to_ms(around.start), datetime_to_ms(around.end)
        length = max(end - begin, 1)
        start_ms, end_ms = max(start_ms, begin - length), min(end_ms, end + length)
    x = Scale(start_ms, max(end_ms, start_ms + 1), LEFT, WIDTH - RIGHT)
    bottom = _TOP + len(its.signals) * (_LANE + _BETWEEN)
    body = [time_axis(x, bottom, _TOP)]
    tops = [_TOP + place * (_LANE + _BETWEEN) for place in range(len(its.signals))]
    body += [
        f'<rect class="lane" x="{x.start:g}" y="{top:g}" width="{x.end - x.start:g}" height="{_LANE}"/>' for top in tops
    ]
    marked = its.strange if around is None else [around]
    body += [_span(x, one, _TOP, bottom - _TOP - _BETWEEN, "strange", strange_words(one)) for one in marked]
    for one in its.gaps.longest:
        length_s = (one.end - one.start).total_seconds()
        body.append(_span(x, one, _TOP, bottom - _TOP - _BETWEEN, "gap", f"nothing for {duration(length_s)}"))
    gap_ms = gap_limit_ms(its.sampling) if its.sampling is not None else 0.0
    for place, (top, signal) in enumerate(zip(tops, its.signals, strict=True)):
        body += _lane(series, signal, place, top, x, gap_ms, columns)
    what = f"{series.machine_id} from {day(its.first)} to {day(its.last)}" if around is None else strange_words(around)
    said = ", ".join(_range_words(one) for one in its.signals)
    return picture(body, bottom + _AXIS, f"{what}: {said}")


def _lane(
    series: Series, its: SignalExploration, place: int, top: float, x: Scale, gap_ms: float, columns: int
) -> Iterator[str]:
    name = text(LEFT + 6, top + 15, words(its.signal), kind="name")
    if its.distribution is None:
        yield name
        yield text((x.start + x.end) / 2, top + _LANE / 2, "no value", "middle")
        return
    time_ms, values = thinned(series.time_ms, series.signal(its.signal), int(x.low), int(x.high), columns)
    y = Scale(*_range(its, values.tolist()), top + _LANE - 2, top + 2)
    for tick, written in ticks(y.low, y.high, 3):
        yield rule(x.start, y(tick), x.end, y(tick))
        yield text(LEFT - 6, y(tick) + 4, written, "end")
    for one in its.frozen:
        kind = "frozen" if one.others_moved else "still"
        length = duration((one.end - one.start).total_seconds())
        yield _span(x, one, top, _LANE, kind, f"{words(its.signal)} stands at {number(one.value)} for {length}")
    for gone in its.missing.longest:
        if gone.readings > 1:
            yield _span(x, gone, top + _LANE - 8, 8, "missing", f"{gone.readings} readings without a value")
    # Two columns apart is no gap of its own in a thinned line.
    limit = max(gap_ms, 2.5 * (x.high - x.low) / columns)
    yield line(x.many(time_ms), y.many(values), colour(its.signal, place), np.append(True, np.diff(time_ms) > limit))
    yield name


def _range(its: SignalExploration, shown: Sequence[float]) -> tuple[float, float]:
    """What a lane shows: everything, but for values so far out that nothing else could be seen."""
    d = its.distribution
    if d is None or not shown:
        return 0.0, 1.0
    width = d.p99 - d.p1
    low, high = min(shown), max(shown)
    if width > 0:
        low, high = max(low, d.p1 - _SHOWN_REACHES * width), min(high, d.p99 + _SHOWN_REACHES * width)
    return padded([low, high] if low <= high else [min(shown), max(shown)])


def _span(x: Scale, one: Stretch | Strange, top: float, height: float, kind: str, said: str) -> str:
    start, end = datetime_to_ms(one.start), datetime_to_ms(one.end)
    if end < x.low or start > x.high:
        return ""
    return box(x(start), top, x(end) - x(start), height, kind, said)


def strange_words(one: Strange) -> str:
    """What is strange about a stretch."""
    verb = "stands at" if one.measure == "level" else "moves by"
    return (
        f"{day(one.start)} to {day(one.end)}: {words(one.signal)} {verb} {number(one.value)}, usually "
        f"{number(one.usual_low)} to {number(one.usual_high)}"
    )


def _range_words(its: SignalExploration) -> str:
    d = its.distribution
    if d is None:
        return f"{words(its.signal)} without a value"
    return f"{words(its.signal)} {number(d.minimum)} to {number(d.maximum)}, median {number(d.median)}"
