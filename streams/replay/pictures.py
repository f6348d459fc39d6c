"""A change drawn: what was looked at, what was taken as usual, and the surprise, then and now."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from models.stacks import STACKS
from streams.replay.around import Around
from streams.replay.differences import Point

_THEN: Final = "#b35806"
_NOW: Final = "#2166ac"


def draw(around: Around) -> bytes:
    """A picture as PNG: above value, median and band, below the surprises; what was given then dashed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.6), dpi=110, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.plot(_times(around.now), _values(around.now, "value"), ".", color="#888888", markersize=2, label="value")
    for points, name, colour, style in ((around.then, "then", _THEN, "--"), (around.now, "now", _NOW, "-")):
        times = _times(points)
        above.plot(times, _values(points, "median"), style, color=colour, linewidth=1.2, label=f"median {name}")
        low, high = _values(points, "expected_low"), _values(points, "expected_high")
        above.fill_between(times, low, high, color=colour, alpha=0.12, linewidth=0, label=f"usual {name}")
        below.plot(times, _values(points, "surprise"), style, color=colour, linewidth=1.2, label=f"surprise {name}")
        marked = [one for one in points if one.label == "anomalous"]
        marker = "x" if name == "then" else "o"
        below.plot(
            _times(marked), _values(marked, "surprise"), marker, color=colour, markersize=4, fillstyle="none",
            label=f"anomalous {name}",
        )  # fmt: skip
    _limit(above, around)
    stack = STACKS.get(around.change.stack)
    if stack is not None:
        below.axhline(stack.thresholds.anomalous_at, color="#999999", linewidth=0.8, linestyle=":")
    for axes in (above, below):
        axes.axvline(around.change.event_time, color="#555555", linewidth=0.8)
        axes.legend(loc="upper left", fontsize=7, ncols=3)
        axes.grid(alpha=0.25)
    above.set_ylabel(around.now[0].stack if around.now else around.change.stack)
    below.set_ylabel("surprise")
    figure.autofmt_xdate(rotation=0, ha="center")
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _limit(axes: Any, around: Around) -> None:
    """A model's band may be far wider than what is seen; and one reading out of range must not flatten all others."""
    import numpy as np

    seen = [one.median for one in (*around.then, *around.now) if one.median is not None]
    if seen:
        low, high = np.percentile(seen, [0, 100])
        room = max(high - low, 1.0) * 0.5
        axes.set_ylim(low - room, high + room)


def _times(points: Sequence[Point]) -> list[datetime]:
    return [datetime.fromisoformat(one.event_time) for one in points]


def _values(points: Sequence[Point], name: str) -> list[float]:
    return [float("nan") if (found := getattr(one, name)) is None else found for one in points]
