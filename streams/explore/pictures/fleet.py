"""Pictures of all machines together: who sent when, where their pressures lie, who resembles whom."""

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np

from models.explore.resemblance import Resemblance
from models.explore.series import Series
from models.explore.words import number, words
from schemas.exploration import Exploration
from schemas.signals import PRESSURES
from streams.explore.pictures.lanes import colour
from streams.explore.pictures.svg import LEFT, RIGHT, WIDTH, Scale, picture, rule, text, time_axis

#: A picture with more rows is a blur.
MOST_ROWS: Final = 150
_ROW: Final = 14
_NAMES: Final = 190
_COLUMNS: Final = 400
_SHADES: Final = 8


def presence(fleet: Sequence[Series]) -> str:
    """A row for each machine, dark where readings came."""
    start, end = min(int(one.time_ms[0]) for one in fleet), max(int(one.time_ms[-1]) for one in fleet)
    x = Scale(start, max(end, start + 1), _NAMES, WIDTH - RIGHT)
    bottom = 6 + _ROW * len(fleet)
    body = [time_axis(x, bottom, 6)]
    for row, one in enumerate(fleet):
        y = 6 + _ROW * row + _ROW / 2
        body.append(text(_NAMES - 6, y + 4, _short(one.machine_id), "end", "small"))
        column = np.unique((one.time_ms - start) * _COLUMNS // (end - start + 1))
        first = np.flatnonzero(np.append(True, np.diff(column) > 1))
        last = np.append(first[1:] - 1, len(column) - 1)
        width = (x.end - x.start) / _COLUMNS
        bars = zip(column[first].tolist(), column[last].tolist(), strict=True)
        drawn = "".join(f"M{x.start + a * width:.1f} {y:.1f}h{(b - a + 1) * width:.1f}" for a, b in bars)
        body.append(f'<path class="presence" d="{drawn}"/>')
    return picture(body, bottom + 24, f"When readings of {len(fleet)} machines came")


def levels(exploration: Exploration) -> str:
    """Each machine's median pressures on a logarithmic axis; those that look like another unit are ringed."""
    rows = []
    for signal in (*PRESSURES, "load"):
        found = [
            (machine.machine_id, one.distribution.median)
            for machine in exploration.machines
            for one in machine.signals
            if one.signal == signal and one.distribution is not None and one.distribution.median > 0
        ]
        if found:
            rows.append((signal, found))
    if not rows:
        return ""
    medians = [median for _, found in rows for _, median in found]
    x = Scale(min(medians) / 1.3, max(medians) * 1.3, LEFT + 60, WIDTH - RIGHT - 10, logarithmic=True)
    bottom, body = 10 + 44 * len(rows), []
    for power in range(-4, 6):
        for digit in (1, 2, 5):
            tick = digit * 10.0**power
            if x.low <= tick <= x.high:
                body += [rule(x(tick), 6, x(tick), bottom), text(x(tick), bottom + 16, number(tick), "middle")]
    suspects = {(one.machine_id, one.signal) for one in exploration.units}
    for row, (signal, found) in enumerate(rows):
        y = 10 + 44 * row + 22
        body.append(text(LEFT + 50, y + 4, words(signal), "end"))
        for place, (name, median) in enumerate(found):
            kind = "ring" if (name, signal) in suspects else f"dot {colour(signal, 0)}"
            shifted = y + (place % 5 - 2) * 5
            body.append(
                f'<circle class="{kind}" cx="{x(median):.1f}" cy="{shifted:.1f}" r="4">'
                f"<title>{escape(name)}: {number(median)}</title></circle>"
            )
    return picture(body, bottom + 24, f"Median pressures of {len(exploration.machines)} machines, psi, logarithmic")


def likeness(alike: Resemblance, names: Sequence[str]) -> str:
    """Machines against machines, by family: the darker, the more alike."""
    count = len(alike.order)
    cell = min(16.0, (WIDTH - _NAMES - RIGHT) / count)
    distance = alike.distance[np.ix_(alike.order, alike.order)]
    others = distance[~np.eye(count, dtype=bool)]
    edges = np.quantile(others, np.linspace(0, 1, _SHADES + 1))[1:-1]
    shade = np.searchsorted(edges, distance)
    body = []
    for level in range(_SHADES):
        rows, columns = np.nonzero(shade == level)
        squares = "".join(
            f"M{_NAMES + column * cell:.1f} {6 + row * cell:.1f}h{cell:.1f}v{cell:.1f}h-{cell:.1f}z"
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        )
        body.append(f'<path class="alike" opacity="{1 - level / _SHADES:.2f}" d="{squares}"/>')
    every = max(1, int(np.ceil(11 / cell)))
    body += [
        text(_NAMES - 6, 6 + (row + 0.5) * cell + 4, _short(names[alike.order[row]]), "end", "small")
        for row in range(0, count, every)
    ]
    family = alike.family[alike.order]
    for place in np.flatnonzero(np.diff(family)).tolist():
        at = (place + 1) * cell
        body += [
            rule(_NAMES, 6 + at, _NAMES + count * cell, 6 + at),
            rule(_NAMES + at, 6, _NAMES + at, 6 + count * cell),
        ]
    return picture(body, 12 + count * cell, f"How alike {count} machines are, in {len(alike.families)} families")


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:13]}…{name[-13:]}"
