"""What each part of the detector is worth on the development set, in one process and without refits.

    python -m bench.development_set ../shared/detection [--json FILE]

The figures are made by the set's own scorer, ``score.py`` in that directory. It runs a command for each file, which shows
what a user gets but takes minutes; here the engine is called directly, so that a dozen variants can be compared.
"""

import argparse
import dataclasses
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.engine.batch import WIDE, make_batch
from models.engine.codes import ANOMALOUS, OPENED
from models.engine.engine import Engine
from models.engine.ensemble import EnsembleScorer
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.engine.views.names import TOGETHER, VIEWS
from models.stacks import Stack
from models.stacks.base import Reference
from models.stacks.general import general_stack

#: Changes an engine's stack before the engine is made, and the engine before it runs.
Variant = tuple[Callable[[Stack], None], Callable[[Engine], None], str]


def _as_it_is(_: Any) -> None:
    pass


def _no_cool_down(stack: Stack) -> None:
    stack.thresholds = dataclasses.replace(stack.thresholds, cool_down_readings=0)  # type: ignore[misc]


def _never_together(stack: Stack) -> None:
    stack.reference = Reference(stack.reference.count, 1e9)  # type: ignore[misc]


def _without(view: str) -> Callable[[Engine], None]:
    def change(engine: Engine) -> None:
        (one,) = engine.stacks.values()
        assert isinstance(one.scorer, EnsembleScorer)
        one.scorer.weights[VIEWS.index(view)] = 0.0

    return change


def variants() -> dict[str, Variant]:
    """Rows of the table."""
    return {
        "everything": (_as_it_is, _as_it_is, "ensemble"),
        **{f"without {v}": (_as_it_is, _without(v), "ensemble") for v in VIEWS if v != "forest"},
        f"without {TOGETHER}": (_never_together, _as_it_is, "ensemble"),
        "without cool-down": (_no_cool_down, _as_it_is, "ensemble"),
        "plain z-score instead": (_as_it_is, _as_it_is, "standard_absolute_deviation"),
    }


def judge(times_ms: Any, values: Any, warm_up: int, variant: Variant) -> Any:
    """Verdicts of one series: ``times_ms`` n, ``values`` n x signals."""
    change_stack, change_engine, detector = variant
    n, signals = values.shape
    stack = general_stack([f"signal_{j}" for j in range(signals)])
    change_stack(stack)
    engine = Engine(Machines([stack], EngineSettings(warm_up=warm_up, refits=False, detectors={stack.name: detector})))
    change_engine(engine)
    slot = engine.slot("file", "machine")
    batch = make_batch(
        engine.vocabulary, [slot] * n, range(n), times_ms.tolist(), [WIDE] * n, values.ravel().tolist(), [1.0] * n,
        [False] * n,
    )  # fmt: skip
    return engine.step(batch)[stack.name]


def read_set(scorer: Any, name: str) -> list[tuple[Any, Any, Any]]:
    """Series, times and values of one part of the set."""
    made = []
    for series in scorer.SETS[name][0]():
        times = scorer.to_times(series.shown["timestamp"]).as_unit("ms").asi8
        shown = series.shown.drop(columns="timestamp")
        values = shown.apply(lambda column: column.replace("", np.nan).astype(float)).to_numpy()
        made.append((series, times, np.ascontiguousarray(values)))
    return made


def figures(scorer: Any, sets: dict[str, list[tuple[Any, Any, Any]]], variant: Variant) -> dict[str, float]:
    """The scorer's figures for one variant."""
    said = {
        name: [judge(times, values, series.warmup, variant) for series, times, values in part]
        for name, part in sets.items()
    }
    series = {name: [one for one, _, _ in part] for name, part in sets.items()}
    scores = {name: [np.nan_to_num(one.surprise) for one in made] for name, made in said.items()}
    alerts = [(one.alert == OPENED).astype(int) for one in said["nab"]]
    labels = [(one.verdict == ANOMALOUS).astype(int) for one in said["wells"]]
    nab, nab_sums = (
        scorer.score_nab(series["nab"], alerts, scores["nab"]),
        scorer.sum_up(series["nab"], alerts, scores["nab"]),
    )
    wells, sums = (
        scorer.score_wells(series["wells"], labels, scores["wells"]),
        scorer.sum_up(series["wells"], labels, scores["wells"]),
    )
    return {
        "nab": round(nab["nab_of_alerts"]["standard"], 1),
        "nab_windows_hit": nab_sums["windows_hit"],
        "nab_false_alerts_per_1000": round(nab_sums["false_alerts_per_1000_normal_rows"], 2),
        "wells_far_percent": round(wells["far_percent"], 1),
        "wells_mar_percent": round(wells["mar_percent"], 1),
        "wells_clean_hits": sums["clean_hits"],
        "wells_auc_pr": round(sums["mean_auc_pr"], 3),
    }  # fmt: skip


def main() -> None:
    """All variants, as a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="the development set, with its score.py")
    parser.add_argument("--json", type=Path, help="keep the figures here")
    options = parser.parse_args()
    sys.path.insert(0, str(options.directory))
    scorer: Any = importlib.import_module("score")
    sets = {name: read_set(scorer, name) for name in ("nab", "wells")}
    rows = {
        name: figures(scorer, sets, variant)
        for name, variant in track(variants().items(), console=Console(stderr=True), transient=True)
    }
    table = Table("detector", *next(iter(rows.values())))
    for name, row in rows.items():
        table.add_row(name, *map(str, row.values()))
    Console(width=160).print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
