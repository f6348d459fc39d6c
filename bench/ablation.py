"""What each part of the detector is worth: the simulated wells again and again, each time without one of its parts.

    python -m bench.ablation [--wells 40] [--days 14] [--seed 11] [--json FILE]

The fleets are those of :mod:`bench.simulated_wells`. A part that costs false alerts when it is missing, or events, earns its
place; figures of one seed swing by a few events, so a difference of one or two in a hundred says nothing.
"""

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.judging import DAY_MS, Judgement
from bench.simulated_wells import FEW, MANY, QUIET_MS, START_MS, judge, new_engine, run_fleet
from models.engine.engine import Engine
from models.engine.ensemble import EnsembleScorer
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.engine.views.names import TOGETHER, VIEWS
from models.simulator import Fleet, Rates
from models.stacks import LoadStack

#: Longer than any run: the reference is never complete.
_NEVER_S = 1e9


class _Alone(LoadStack):
    """Without the reference of both pressures."""

    reference = dataclasses.replace(LoadStack.reference, span_s=_NEVER_S)


class _NoCoolDown(LoadStack):
    """An alert may open as soon as the last one is closed."""

    thresholds = dataclasses.replace(LoadStack.thresholds, cool_down_s=0.0, cool_down_readings=0)


class _AtOnce(LoadStack):
    """One anomalous reading opens an alert."""

    thresholds = dataclasses.replace(LoadStack.thresholds, open_after=1)


def _with(stack: LoadStack) -> Engine:
    return Engine(Machines((stack,), EngineSettings(refits=False)))


def _without(view: str) -> Engine:
    engine = new_engine("ensemble")
    scorer = engine.stacks["load"].scorer
    assert isinstance(scorer, EnsembleScorer)
    scorer.weights[VIEWS.index(view)] = 0.0
    return engine


def variants() -> dict[str, Callable[[], Engine]]:
    """An engine for each row of the table. The forest is not among the views left out: without a trainer it is silent."""
    views = [view for view in VIEWS if view != "forest"]
    return {
        "everything": lambda: new_engine("ensemble"),
        **{f"without {view}": lambda view=view: _without(view) for view in views},  # type: ignore[misc]
        f"without {TOGETHER}": lambda: _with(_Alone()),
        "without cool-down": lambda: _with(_NoCoolDown()),
        "alerts at once": lambda: _with(_AtOnce()),
        "plain z-score instead": lambda: new_engine("standard_absolute_deviation"),
    }


def main() -> None:
    """Simulate once, judge with each variant, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wells", type=int, default=40)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--json", type=Path, help="keep the figures here")
    options = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    chosen = variants()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("simulating", total=2 * len(chosen) * options.days)
        judged: dict[str, list[Judgement]] = {name: [] for name in chosen}
        for factor in (FEW, MANY):
            fleet = Fleet(options.seed, options.wells, START_MS, rates=Rates(events=factor, quiet_ms=QUIET_MS))
            hours = list(fleet.readings(START_MS + options.days * DAY_MS))
            for name, engine in chosen.items():
                progress.update(task, description=name)
                run = run_fleet(fleet, hours, options.days, engine(), lambda _: None)
                judged[name].append(judge(run))
                progress.advance(task, options.days)
        for name, (healthy, eventful) in judged.items():
            rows[name] = {
                "false_alerts_per_healthy_well_and_day": round(healthy.false_a_day, 4),
                "events_found": round(eventful.found_share, 3),
            }
    table = Table("detector", "false alerts a healthy well and day", "events found")
    for name, row in rows.items():
        table.add_row(name, f"{row['false_alerts_per_healthy_well_and_day']:.3f}", f"{row['events_found']:.1%}")
    Console().print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
