"""What all pictures share: scales, ticks, paths, and a frame that says in words what is drawn."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WIDTH: Final = 720
#: Room for the axis at the left.
LEFT: Final = 64
RIGHT: Final = 8


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places in the picture; ``logarithmic`` for values above 0.

    >>> Scale(0.0, 10.0, 100.0, 200.0)(5.0)
    150.0
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        return float(self.many(np.array([value]))[0])

    def many(self, values: npt.ArrayLike) -> Floats:
        """Places of all of ``values``, none outside of the picture."""
        v = np.asarray(values, np.float64)
        low, high = self.low, self.high
        if self.logarithmic:
            v, low, high = np.log10(np.maximum(v, self.low)), math.log10(self.low), math.log10(self.high)
        share = np.clip((v - low) / (high - low), 0.0, 1.0) if high > low else np.full(v.shape, 0.5)
        made: Floats = self.start + share * (self.end - self.start)
        return made


def picture(body: Iterable[str], height: float, words: str, width: float = WIDTH) -> str:
    """A picture with ``words`` for whoever cannot see it."""
    said = escape(words, quote=True)
    named = f'role="img" aria-label="{said}"'
    return f'<svg viewBox="0 0 {width:g} {height:g}" {named}><title>{said}</title>{"".join(body)}</svg>'


def line(x: Floats, y: Floats, kind: str, broken_before: npt.NDArray[np.bool_] | None = None) -> str:
    """A line through points; it begins anew where ``broken_before`` says so. A point alone is a dot."""
    if not len(x):
        return ""
    moves = np.zeros(len(x), bool) if broken_before is None else broken_before.copy()
    moves[0] = True
    letters = np.where(moves, "M", "L")
    alone = moves & np.append(moves[1:], True)
    points = [
        f"{letter}{a:.1f} {b:.1f}{'h.1' if single else ''}"
        for letter, a, b, single in zip(letters.tolist(), x.tolist(), y.tolist(), alone.tolist(), strict=True)
    ]
    return f'<path class="line {kind}" d="{"".join(points)}"/>'


def box(x: float, y: float, width: float, height: float, kind: str, words: str = "") -> str:
    """A filled rectangle; ``words`` show when it is pointed at."""
    title = f"<title>{escape(words)}</title>" if words else ""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.8):.1f}" height="{height:.1f}">{title}</rect>'


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    """Words at a place: ``anchor`` start, middle or end."""
    of_kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{of_kind}>{escape(words)}</text>'


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    """A thin line."""
    return f'<path class="rule" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def ticks(low: float, high: float, most: int = 5) -> list[tuple[float, str]]:
    """Round numbers from ``low`` to ``high``, a few, and how each is written: with the digits that tell them apart.

    >>> ticks(0.0, 97.0, 3), ticks(470.69, 470.83, 2)
    ([(0.0, '0'), (50.0, '50')], [(470.7, '470.7'), (470.8, '470.8')])
    """
    if not high > low:
        return [(low, f"{low:g}")]
    raw = (high - low) / most
    power = math.floor(math.log10(raw))
    step = next(10.0**power * factor for factor in (1, 2, 5, 10) if 10.0**power * factor >= raw)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(round(place * step, 12), f"{place * step:,.{digits}f}") for place in range(first, last + 1)]


_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_TIME_STEPS: Final = (
    _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY,
    5 * _DAY, 10 * _DAY, 30 * _DAY, 91 * _DAY, 365 * _DAY, 1826 * _DAY,
)  # fmt: skip


def time_ticks(start_ms: int, end_ms: int, most: int = 7) -> list[tuple[int, str]]:
    """Round moments and what is written at them (UTC).

    >>> time_ticks(0, 3 * 3_600_000, 3)
    [(0, '00:00'), (3600000, '01:00'), (7200000, '02:00'), (10800000, '03:00')]
    """
    span = max(1, end_ms - start_ms)
    step = next(
        (step for step in _TIME_STEPS if span / step <= most), _TIME_STEPS[-1] * max(1, span // _TIME_STEPS[-1] // most)
    )
    form = "%H:%M" if step < _DAY and span <= 2 * _DAY else "%d %b %H:%M" if step < _DAY else "%d %b"
    if span > 300 * _DAY:
        form = "%b %Y"
    first = -(-start_ms // step) * step
    return [(at, datetime.fromtimestamp(at / 1000, UTC).strftime(form)) for at in range(first, end_ms + 1, step)]


def time_axis(scale: Scale, y: float, top: float) -> str:
    """Ticks with times under a picture, and thin lines up to ``top``."""
    made = []
    for at, words in time_ticks(int(scale.low), int(scale.high)):
        x = scale(at)
        made.append(rule(x, top, x, y))
        anchor = "end" if x > scale.end - 30 else "middle"
        made.append(text(x, y + 16, words, anchor))
    return "".join(made)


def padded(values: Sequence[float]) -> tuple[float, float]:
    """A range a little wider than ``values``, never empty.

    >>> padded([3.0, 3.0])
    (2.5, 3.5)
    """
    low, high = min(values), max(values)
    margin = 0.04 * (high - low) if high > low else 0.5
    return low - margin, high + margin
