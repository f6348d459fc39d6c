"""Speed as the fleet grows: the engine by itself with windows of 40 and 400, and the whole worker on Apache Kafka.

    python -m bench.curves [--machines 500 5000 50000] [--only engine|worker] [--rounds 3] [--plot docs/plots/curves.svg]
                           [--json FILE]

The engine: microseconds of processor time a reading in the steps, in runs of 4,000, with windows that are full. The worker:
readings a second from the first label to the last one, catching up a filled topic, and processor time of its whole process a
reading; its window is the load stack's own. With 50,000 machines it takes about five minutes and eight gigabytes.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench.contenders import PARTITIONS
from bench.engine_costs import Fleet, step_us
from bench.figures import Figures, figure, hand_on, taken_on
from bench.fleet import START_S, readings, send_all
from bench.processes import CpuShares
from bench.workers import Ends, Worker, new_installation
from streams.parts.kafka_jars import KafkaJars

_WINDOWS: Final = (40, 400)
_RUN: Final = 4_000
#: Each machine's first readings are not measured; then so many of the fleet are, or more where it is large.
_READINGS: Final = 400_000
_LEAST_EACH: Final = 12
_WIDTH, _HEIGHT, _LEFT, _TOP = 450, 300, 60, 40
#: Told apart by those who see few colours too (Okabe and Ito), and by dashes.
_LINES: Final = {
    "engine, window 40": ("#0072b2", ""),
    "engine, window 400": ("#d55e00", "7 3"),
    "worker": ("#009e73", "2 3"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One fleet's size."""

    machines: int
    us: float  # processor microseconds a reading
    readings_per_s: float


def engine_point(machines: int, window: int) -> Point:
    """The steps by themselves. Their readings a second are those of one core that does nothing else."""
    fleet = Fleet(machines, window)
    for _ in range(window + 20):
        for _ in range(-(-machines // _RUN)):
            fleet.engine.step(fleet.batch(min(_RUN, machines)))
    us = step_us(fleet, _RUN, max(5, machines // _RUN))
    return Point(machines, us, 1e6 / us)


def worker_point(machines: int) -> Point:
    """A whole worker on a Kafka of its own."""
    count = max(_READINGS, _LEAST_EACH * machines)
    with KafkaJars() as kafka:
        prefix = new_installation(kafka.url, machines, 1, START_S)
        send_all(kafka.url, f"{prefix}.readings", readings(count, machines, PARTITIONS, start_s=START_S + 60))
        labels = Ends(kafka.url, f"{prefix}.labels")
        one = Worker(kafka.url, prefix)
        try:
            first = labels.wait(1, 300.0)
            before, used = labels.count(), CpuShares({"worker": one.pid})
            last = labels.wait(count + machines, 300.0)
            us = used.used_s()["worker"] / (count + machines - before) * 1e6
        finally:
            one.end()
            labels.close()
    return Point(machines, us, (count + machines) / (last - first))


def draw(curves: Mapping[str, list[Point]], path: Path) -> None:
    """Two panels as SVG: readings a second, and microseconds a reading, over the machines."""
    made = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * _WIDTH}" height="{_HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        *_panel(curves, 0, "readings a second", "readings_per_s"),
        *_panel(curves, _WIDTH, "processor microseconds a reading", "us"),
        "</svg>",
    ]
    path.write_text("\n".join(made) + "\n")


def _panel(curves: Mapping[str, list[Point]], left: int, title: str, which: str) -> list[str]:
    points = [point for line in curves.values() for point in line]
    least, most = np.log10([min(p.machines for p in points), max(p.machines for p in points)])
    top = _round_up(max(getattr(point, which) for point in points))
    width, height = _WIDTH - _LEFT - 30, _HEIGHT - _TOP - 70

    def x(machines: float) -> float:
        return _LEFT + width * float((np.log10(machines) - least) / max(most - least, 1e-9))

    def y(value: float) -> float:
        return _TOP + height * (1 - value / top)

    made = [f'<g transform="translate({left} 0)">', f'<text x="{_LEFT}" y="20" font-weight="bold">{title}</text>']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        at, text = y(share * top), f"{share * top:,.0f}" if top >= 20 else f"{share * top:.1f}"
        made.append(f'<path d="M{_LEFT} {at:.1f}h{width}" stroke="#ddd"/>')
        made.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
    made += [
        f'<text x="{x(machines):.1f}" y="{_TOP + height + 16}" text-anchor="middle">{machines:,}</text>'
        for machines in sorted({point.machines for point in points})
    ]
    made.append(f'<text x="{_LEFT + width / 2:.0f}" y="{_TOP + height + 32}" text-anchor="middle">machines</text>')
    for number, (name, line) in enumerate(curves.items()):
        colour, dashes = _LINES[name]
        corners = " ".join(f"{x(p.machines):.1f},{y(getattr(p, which)):.1f}" for p in line)
        style = f'fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dashes}"'
        made.append(f'<polyline points="{corners}" {style}/>')
        made += [
            f'<circle cx="{x(p.machines):.1f}" cy="{y(getattr(p, which)):.1f}" r="3" fill="{colour}"/>' for p in line
        ]
        at = _LEFT + number * 140
        made.append(f'<path d="M{at} {_HEIGHT - 14}h24" {style}/><text x="{at + 29}" y="{_HEIGHT - 10}">{name}</text>')
    return [*made, "</g>"]


def _round_up(value: float) -> float:
    step = 10.0 ** np.floor(np.log10(value))
    return float(next(m * step for m in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if m * step >= value))


def main() -> None:
    """All sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, nargs="+", default=[500, 5_000, 50_000])
    parser.add_argument("--only", choices=["engine", "worker"])
    parser.add_argument("--rounds", type=int, default=3, help="of the worker; the engine's are five of its own")
    parser.add_argument("--plot", type=Path, help="where to draw them")
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    print("\n".join(taken_on()), flush=True)
    curves: dict[str, list[Point]] = {}
    if options.only != "worker":
        for window in _WINDOWS:
            for machines in options.machines:
                _add(curves, f"engine, window {window}", engine_point(machines, window))
                gc.collect()
    if options.only != "engine":
        rounds: dict[int, list[Point]] = {}
        for number in range(options.rounds):
            for machines in options.machines:
                rounds.setdefault(machines, []).append(worker_point(machines))
                print(f"round {number + 1}: {rounds[machines][-1]}", flush=True)
        for machines, seen in rounds.items():
            us, rate = (
                statistics.median(values) for values in zip(*((p.us, p.readings_per_s) for p in seen), strict=True)
            )
            _add(curves, "worker", Point(machines, us, rate))
    print()
    hand_on(_figures(curves), options.json)
    if options.plot:
        draw(curves, options.plot)


def _add(curves: dict[str, list[Point]], name: str, point: Point) -> None:
    curves.setdefault(name, []).append(point)
    print(f"{time.strftime('%X')} {name}: {point}", flush=True)


def _figures(curves: Mapping[str, list[Point]]) -> Figures:
    made: Figures = {}
    for name, line in curves.items():
        for point in line:
            made[f"{name}, {point.machines} machines: us"] = figure(round(point.us, 2), "us a reading")
            made[f"{name}, {point.machines} machines: rate"] = figure(round(point.readings_per_s), "readings/s")
    return made


if __name__ == "__main__":
    main()
