"""Plots of what the detector found, what it missed and where it was wrong, for somebody who knows wells.

    python -m bench.plots DIRECTORY [--wells 60] [--days 14] [--seed 11]

Writes ``hits.svg``, ``misses.svg`` and ``false-alarms.svg``, four wells each: casing and tubing pressure, the event as a grey
band, each alert as a red line. The wells are those of :mod:`bench.simulated_wells`; the first ones found are drawn, not the
best ones.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.judging import DAY_MS, HOUR_MS, RECOVERY_MS
from bench.simulated_wells import FEW, MANY, QUIET_MS, START_MS, Run, judge, new_engine, run_fleet
from models.engine.codes import OPENED
from models.simulator import SIGNALS, Fleet, Rates, Truth

_PANELS: Final = 4
_WIDTH, _HEIGHT, _LEFT, _TOP = 900, 190, 50, 24
_POINTS: Final = 900
_COLOURS: Final = {"casing_pressure": "#1f6fb4", "tubing_pressure": "#2a9d55"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One well for some days."""

    title: str
    from_ms: int
    to_ms: int
    time_ms: Any  # n
    pressures: Any  # n x 2, psi
    bands: list[tuple[int, int]]  # events
    alerts_ms: list[int]


def panel(run: Run, values: Any, machine_id: str, from_ms: int, to_ms: int, title: str) -> Panel:
    """What one well showed between two moments, and what was said of it."""
    number = [machine.machine_id for machine in run.fleet.machines].index(machine_id)
    here = np.flatnonzero((run.machine == number) & (run.arrival_ms >= from_ms) & (run.arrival_ms < to_ms))
    events = [
        (max(one.start_ms, from_ms), min(one.end_ms, to_ms))
        for one in run.fleet.truth(run.end_ms)
        if one.category == "event" and one.machine_id == machine_id and one.end_ms > from_ms and one.start_ms < to_ms
    ]
    alerts = run.arrival_ms[here][run.alert[here] == OPENED].tolist()
    return Panel(title, from_ms, to_ms, run.arrival_ms[here], values[here], events, alerts)


def draw(panels: Sequence[Panel], path: Path) -> None:
    """All panels below each other, as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT * len(panels)}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, one in enumerate(panels):
        parts += [f'<g transform="translate(0 {number * _HEIGHT})">', *_panel(one), "</g>"]
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


def _panel(one: Panel) -> list[str]:
    width, height = _WIDTH - _LEFT - 10, _HEIGHT - _TOP - 26
    shown = one.pressures[~np.isnan(one.pressures)]
    # Spikes and sentinels would flatten all the rest.
    low, high = np.percentile(shown, [0.5, 99.5]) if len(shown) else (0.0, 1.0)
    span = max(high - low, 1.0)
    low, span = low - 0.1 * span, 1.2 * span

    def x(time_ms: Any) -> Any:
        return _LEFT + width * (time_ms - one.from_ms) / (one.to_ms - one.from_ms)

    def y(psi: Any) -> Any:
        return _TOP + height * (1.0 - np.clip((psi - low) / span, 0.0, 1.0))

    made = [f'<text x="{_LEFT}" y="15" font-weight="bold">{one.title}</text>']
    for first, last in one.bands:
        made.append(
            f'<rect x="{x(first):.1f}" y="{_TOP}" width="{max(1.0, x(last) - x(first)):.1f}" height="{height}" fill="#ddd"/>'
        )
    order = np.argsort(one.time_ms, kind="stable")
    pick = order[:: max(1, len(order) // _POINTS)]
    for column, colour in enumerate(_COLOURS.values()):
        there = pick[~np.isnan(one.pressures[pick, column])]
        points = " ".join(
            f"{a:.1f},{b:.1f}" for a, b in zip(x(one.time_ms[there]), y(one.pressures[there, column]), strict=True)
        )
        made.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="0.8"/>')
    made += [f'<path d="M{x(at):.1f} {_TOP}v{height}" stroke="#c0262d" stroke-width="1.6"/>' for at in one.alerts_ms]
    for share in (0.1, 0.9):
        psi = low + share * span
        made.append(f'<text x="{_LEFT - 6}" y="{y(psi) + 4:.1f}" text-anchor="end">{psi:.0f} psi</text>')
    for share in (0.0, 0.5, 1.0):
        at = one.from_ms + share * (one.to_ms - one.from_ms)
        anchor = ("start", "middle", "end")[round(2 * share)]
        text = datetime.fromtimestamp(at / 1000, UTC).strftime("day %d, %H:%M")
        made.append(f'<text x="{x(at):.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{text}</text>')
    return made


def _is_heard(run: Run, event: Truth) -> bool:
    number = [machine.machine_id for machine in run.fleet.machines].index(event.machine_id)
    here = (run.machine == number) & (run.alert == OPENED)
    at = run.arrival_ms[here]
    return bool(((at >= event.start_ms) & (at < event.end_ms + HOUR_MS)).any())


def _of_events(run: Run, values: Any, heard: bool) -> list[Panel]:
    kinds: dict[str, Truth] = {}
    for event in run.fleet.truth(run.end_ms):
        whole = event.start_ms > START_MS + QUIET_MS and event.end_ms + RECOVERY_MS < run.end_ms
        of_well = event.category == "event" and event.group is None and event.signal is None
        if of_well and whole and _is_heard(run, event) == heard:
            kinds.setdefault(event.kind, event)
    return [
        panel(
            run, values, event.machine_id, event.start_ms - DAY_MS,
            min(event.end_ms, event.start_ms + 3 * DAY_MS) + DAY_MS // 2,
            f"{event.kind.replace('_', ' ')}, {event.machine_id}",
        )
        for event in islice(kinds.values(), _PANELS)
    ]  # fmt: skip


def _run(seed: int, wells: int, days: int, factor: float) -> tuple[Run, Any]:
    fleet = Fleet(seed, wells, START_MS, rates=Rates(events=factor, quiet_ms=QUIET_MS))
    hours = list(fleet.readings(START_MS + days * DAY_MS))
    columns = [SIGNALS.index(name) for name in _COLOURS]
    values = np.concatenate([hour.values[:, columns] for hour in hours])
    return run_fleet(fleet, hours, days, new_engine("ensemble"), lambda _: None), values


def main() -> None:
    """Simulate, judge, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--wells", type=int, default=60)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    run, values = _run(options.seed, options.wells, options.days, MANY)
    draw(_of_events(run, values, heard=True), options.directory / "hits.svg")
    draw(_of_events(run, values, heard=False), options.directory / "misses.svg")
    run, values = _run(options.seed, options.wells, options.days, FEW)
    wrong = {mark.machine_id: mark for mark in judge(run).false_alerts}
    panels = [
        panel(run, values, name, mark.at_ms - DAY_MS, mark.at_ms + DAY_MS // 2, f"no event, {name}")
        for name, mark in islice(wrong.items(), _PANELS)
    ]
    draw(panels, options.directory / "false-alarms.svg")


if __name__ == "__main__":
    main()
