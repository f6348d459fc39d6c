"""What the detector is worth on simulated wells: false alerts, found events, the first label, and each defect's handling.

    python -m bench.simulated_wells [--wells 60] [--days 14] [--seeds 11,12,13] [--tune] [--json FILE]

Two fleets for each seed, both with all defects: one with few events, on which false alerts are counted, and one with many,
on which it is counted which are found. The first four days are quiet, as for a user who has a history. The simulator is made
from what is known of wells, never from the detector; it was tuned on the seeds of ``--tune``, the figures are for others.
"""

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from bench.judging import DAY_MS, Judgement, Mark, judge_fleet
from models.engine.batch import WIDE, make_batch
from models.engine.codes import FROZEN, MISSING, OPENED, REASONS, SPIKE
from models.engine.engine import Engine
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.simulator import SIGNALS, Fleet, Rates
from models.stacks import choose_stacks

REPORT_SEEDS: Final = (11, 12, 13)
TUNE_SEEDS: Final = (1, 2, 3)
START_MS: Final = 1_767_225_600_000  # 2026-01-01
QUIET_MS: Final = 4 * DAY_MS
#: As many events as an operator of thousands of wells could take, and so many that each kind is seen often enough.
FEW: Final = 0.5
MANY: Final = 3.0


@dataclass(frozen=True, slots=True)
class Run:
    """A fleet and what the engine said of it."""

    fleet: Fleet
    end_ms: int
    machine: np.ndarray[Any, Any]  # n
    arrival_ms: np.ndarray[Any, Any]  # n
    time_ms: np.ndarray[Any, Any]  # n: as stamped
    kind: np.ndarray[Any, Any]  # n
    verdict: np.ndarray[Any, Any]  # n
    alert: np.ndarray[Any, Any]  # n
    late: np.ndarray[Any, Any]  # n: whether it was put in its place among readings that had come before it
    revised: int  # labels issued again
    engine_s: float

    def marks(self, places: np.ndarray[Any, Any]) -> list[Mark]:
        """Where and when the readings at ``places`` were, with the reason they were not scored for."""
        names = [machine.machine_id for machine in self.fleet.machines]
        return [
            Mark(names[self.machine[i]], int(self.arrival_ms[i]), REASONS.get(int(self.kind[i])))
            for i in places.tolist()
        ]


def new_engine(detector: str) -> Engine:
    """An engine with the load stack."""
    return Engine(Machines(choose_stacks(["load"]), EngineSettings(refits=False, detectors={"load": detector})))


def run_fleet(fleet: Fleet, hours: Iterable[Any], days: int, engine: Engine, on_day: Any) -> Run:
    """All readings of ``hours``, ``days`` of them in all, through an engine with the load stack."""
    for machine in fleet.machines:
        engine.slot(machine.client_id, machine.machine_id)
    columns = [SIGNALS.index(name) for name in engine.vocabulary]
    end_ms, offset, revised, spent_s = fleet.start_ms + days * DAY_MS, 0, 0, 0.0
    found: list[tuple[Any, ...]] = []
    for hour in hours:
        n = len(hour)
        batch = make_batch(
            engine.vocabulary, hour.machine.tolist(), range(offset, offset + n), hour.time_ms.tolist(), [WIDE] * n,
            hour.values[:, columns].ravel().tolist(), [1.0] * n, [False] * n,
        )  # fmt: skip
        begun = time.perf_counter()
        said = engine.step(batch)["load"]
        spent_s += time.perf_counter() - begun
        found.append((hour.machine, hour.arrival_ms, hour.time_ms, said.kind, said.verdict, said.alert, said.late))
        revised += sum(len(again.offset) for again in said.revised)
        offset += n
        on_day((hour.arrival_ms[-1] - fleet.start_ms) / DAY_MS)
    columns_of = [np.concatenate(column) for column in zip(*found, strict=True)]
    return Run(fleet, end_ms, *columns_of, revised, spent_s)


def judge(run: Run) -> Judgement:
    """Hold a run against the truth. Events of sensors that the load stack does not look at are left out."""
    looked_at = {None, *choose_stacks(["load"])[0].signals}
    truths = [truth for truth in run.fleet.truth(run.end_ms) if truth.category == "defect" or truth.signal in looked_at]
    return judge_fleet(
        truths,
        [machine.machine_id for machine in run.fleet.machines],
        run.marks(np.flatnonzero(run.alert == OPENED)),
        run.marks(np.flatnonzero(np.isin(run.kind, (SPIKE, FROZEN, MISSING)))),
        run.fleet.start_ms + QUIET_MS,
        run.end_ms,
    )


def first_scored(run: Run) -> list[int]:
    """For each machine the number of its first reading that was scored, from 1."""
    scored = []
    for number in range(len(run.fleet.machines)):
        kinds = run.kind[run.machine == number]
        scored.append(int(np.argmax(~np.isin(kinds, list(REASONS)))) + 1)
    return scored


def measure(
    wells: int, days: int, seeds: Sequence[int], detector: str, progress: Progress, task: TaskID
) -> dict[str, Any]:
    """All figures, over all seeds."""
    healthy, eventful, first = Judgement(), Judgement(), []
    readings, engine_s = 0, 0.0
    for number, seed in enumerate(seeds):
        for which, factor in enumerate((FEW, MANY)):
            done = (2 * number + which) * days
            fleet = Fleet(seed, wells, START_MS, rates=Rates(events=factor, quiet_ms=QUIET_MS))
            hours = fleet.readings(START_MS + days * DAY_MS)
            tell_day = partial(_tell_day, progress, task, done)
            run = run_fleet(fleet, hours, days, new_engine(detector), tell_day)
            (healthy if factor == FEW else eventful).add(judge(run))
            first += first_scored(run)
            readings += len(run.kind)
            engine_s += run.engine_s
    return {
        "detector": detector,
        "seeds": list(seeds),
        "wells": wells,
        "days": days,
        "readings": readings,
        "engine_us_per_reading": round(1e6 * engine_s / readings, 2),
        "healthy_well_days": round(healthy.healthy_days),
        "false_alerts": len(healthy.false_alerts),
        "false_alerts_per_healthy_well_and_day": round(healthy.false_a_day, 4),
        "events": sum(eventful.events.values()),
        "events_found": round(eventful.found_share, 3),
        "first_scored_reading": {"median": float(np.median(first)), "worst": max(first)},
        "by_kind": {
            kind: {
                "events": count,
                "found": eventful.found[kind],
                "median_delay_min": round(float(np.median(eventful.delays_ms[kind])) / 60_000)
                if eventful.found[kind]
                else None,
            }
            for kind, count in sorted(eventful.events.items())
        },
    }


def _tell_day(progress: Progress, task: TaskID, done: int, day: float) -> None:
    progress.update(task, completed=done + day)


def tell(figures: dict[str, Any]) -> None:
    """The figures as a table."""
    console = Console()
    table = Table(
        "event", "found", "median delay", title=f"events found: {figures['events_found']:.1%} of {figures['events']}"
    )
    for kind, row in figures["by_kind"].items():
        delay = row["median_delay_min"]
        table.add_row(kind, f"{row['found']} of {row['events']}", "-" if delay is None else f"{delay:,} min")
    console.print(table)
    first = figures["first_scored_reading"]
    console.print(
        f"false alerts: {figures['false_alerts_per_healthy_well_and_day']:.4f} per healthy well and day "
        f"({figures['false_alerts']} in {figures['healthy_well_days']:,} days)\n"
        f"first scored reading of a new machine: {first['median']:.0f} (median), {first['worst']} (worst)\n"
        f"{figures['readings']:,} readings, {figures['engine_us_per_reading']} us of engine time each"
    )


def main() -> None:
    """Run, tell, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wells", type=int, default=60)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--seeds", default=",".join(map(str, REPORT_SEEDS)))
    parser.add_argument("--tune", action="store_true", help="the seeds that thresholds were tuned on")
    parser.add_argument("--detector", default="ensemble")
    parser.add_argument("--json", type=Path, help="keep the figures here")
    options = parser.parse_args()
    seeds = TUNE_SEEDS if options.tune else tuple(int(seed) for seed in options.seeds.split(","))
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("simulating", total=2 * len(seeds) * options.days)
        figures = measure(options.wells, options.days, seeds, options.detector, progress, task)
    tell(figures)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
