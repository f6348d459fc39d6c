"""Small pictures of one signal or two: how values lie, what a day repeats, how long cycles take, two against each other."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from models.explore.series import Series
from models.explore.words import number, share, words
from schemas.exploration import Cycles, Daily, Distribution
from streams.explore.pictures.svg import Scale, box, line, padded, picture, rule, text, ticks

_WIDTH: Final = 340
_HEIGHT: Final = 190
_LEFT: Final = 48
_BOTTOM: Final = 150
_TOP: Final = 24
_POINTS: Final = 400
_LENGTH_BINS: Final = 30


def histogram(signal: str, its: Distribution, colour: str) -> str:
    """How often which value; the median is marked."""
    x = Scale(its.histogram.edges[0], its.histogram.edges[-1], _LEFT, _WIDTH - 8)
    outside = its.histogram.below + its.histogram.above
    said = (
        f"{words(signal)}: half of the values between {number(its.p25)} and {number(its.p75)}, median {number(its.median)}, "
        f"lowest {number(its.minimum)}, highest {number(its.maximum)}; {its.distinct:,} different values; "
        f"{outside:,} lie outside of the picture"
    )
    body = _bars(its.histogram.counts, its.histogram.edges, x, colour)
    middle = x(its.median)
    body += [
        f'<path class="mark" d="M{middle:.1f} {_TOP}V{_BOTTOM}"/>',
        *_below(x),
        text(_LEFT, 15, words(signal), kind="name"),
    ]
    return picture(body, _HEIGHT, said, _WIDTH)


def cycle_lengths(its: Cycles) -> str:
    """How many cycles took how long."""
    lengths = np.array(its.lengths_min)
    low, high = 0.0, max(float(np.quantile(lengths, 0.99)) * 1.1, its.median_min * 1.5)
    counts, edges = np.histogram(lengths, bins=_LENGTH_BINS, range=(low, high))
    x = Scale(low, high, _LEFT, _WIDTH - 8)
    said = (
        f"Cycles of {words(its.signal)}: {its.count:,}, half of them shorter than {number(its.median_min)} minutes, "
        f"a tenth longer than {number(its.p90_min)}"
    )
    body = [
        *_bars(counts.tolist(), edges.tolist(), x, "c0"),
        *_below(x),
        text(_LEFT, 15, "cycle length, minutes", kind="name"),
    ]
    return picture(body, _HEIGHT, said, _WIDTH)


def daily_pattern(signal: str, its: Daily, colour: str) -> str:
    """Distance from the day's mean, hour by hour."""
    known = [(hour, value) for hour, value in enumerate(its.by_hour) if value is not None]
    x = Scale(0, 24, _LEFT, _WIDTH - 8)
    y = Scale(*padded([0.0, *(value for _, value in known)]), _BOTTOM, _TOP)
    body = []
    for tick, written in ticks(y.low, y.high, 4):
        body += [rule(_LEFT, y(tick), _WIDTH - 8, y(tick)), text(_LEFT - 5, y(tick) + 4, written, "end")]
    body += [text(x(hour), _BOTTOM + 16, f"{hour:02d}", "middle") for hour in range(0, 25, 6)]
    body += [
        box(x(hour + 0.1), min(y(0), y(value)), x(0.8) - x(0), abs(y(0) - y(value)), colour) for hour, value in known
    ]
    body.append(text(_LEFT, 15, f"{words(signal)} by hour, UTC", kind="name"))
    said = (
        f"{words(signal)} through the day: highest at {its.peak_hour:02d}:00 UTC, by {number(its.amplitude)} from the lowest "
        f"hour; the hour explains {share(its.strength)} of what moves within {its.days} days"
    )
    return picture(body, _HEIGHT, said, _WIDTH)


def against(series: Series, first: str, second: str) -> str:
    """Two signals against each other, some hundred readings evenly chosen."""
    x_values, y_values = series.signal(first), series.signal(second)
    both = np.flatnonzero(~(np.isnan(x_values) | np.isnan(y_values)))
    chosen = both[np.unique(np.linspace(0, len(both) - 1, _POINTS).astype(np.int64))] if len(both) else both
    if not len(chosen):
        return ""
    a, b = x_values[chosen], y_values[chosen]
    x = Scale(*padded(np.quantile(a, (0.005, 0.995)).tolist()), _LEFT, _WIDTH - 8)
    y = Scale(*padded(np.quantile(b, (0.005, 0.995)).tolist()), _BOTTOM, _TOP)
    body = _below(x)
    for tick, written in ticks(y.low, y.high, 4):
        body += [rule(_LEFT, y(tick), _WIDTH - 8, y(tick)), text(_LEFT - 5, y(tick) + 4, written, "end")]
    dots = "".join(f"M{p:.1f} {q:.1f}h.1" for p, q in zip(x.many(a).tolist(), y.many(b).tolist(), strict=True))
    body += [f'<path class="dots" d="{dots}"/>', text(_LEFT, 15, f"{words(second)} over {words(first)}", kind="name")]
    return picture(
        body, _HEIGHT, f"{words(second)} over {words(first)}, {len(chosen)} readings of {len(both):,}", _WIDTH
    )


def sparkline(series: Series, signal: str, columns: int = 60) -> str:
    """A signal in a table's cell: its median in each part of the time."""
    values = series.signal(signal)
    span = max(1, int(series.time_ms[-1] - series.time_ms[0]))
    column = (series.time_ms - series.time_ms[0]) * columns // (span + 1)
    starts = np.searchsorted(column, np.arange(columns + 1))
    parts = [values[a:b] for a, b in pairwise(starts.tolist())]
    middles = np.array([np.nanmedian(part) if not np.isnan(part).all() else np.nan for part in parts])
    known = np.flatnonzero(~np.isnan(middles))
    if not len(known):
        return ""
    y = Scale(*padded(middles[known].tolist()), 26, 2)
    x = Scale(0, columns - 1, 1, 119)
    drawn = line(x.many(known), y.many(middles[known]), "c0", np.append(True, np.diff(known) > 1))
    return picture([drawn], 28, f"{words(signal)} over time", 120)


def _bars(counts: Sequence[int], edges: Sequence[float], x: Scale, colour: str) -> list[str]:
    y = Scale(0, max(1, *counts), _BOTTOM, _TOP)
    return [
        box(x(edges[place]) + 0.3, y(count), x(edges[place + 1]) - x(edges[place]) - 0.6, _BOTTOM - y(count), colour)
        for place, count in enumerate(counts)
        if count
    ]


def _below(x: Scale) -> list[str]:
    places = [(x(tick), said) for tick, said in ticks(x.low, x.high, 4)]
    texts = [text(at, _BOTTOM + 16, said, "end" if at > _WIDTH - 24 else "middle") for at, said in places]
    return [rule(_LEFT, _BOTTOM, _WIDTH - 8, _BOTTOM), *texts]
