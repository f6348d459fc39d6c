"""Whether each defect of the data is handled as it should be, on simulated wells to which nothing else happens.

    python -m bench.defect_handling [--wells 60] [--days 8] [--seed 21]

For each defect alone a fleet without events, the defect so often that it can be counted. Right is, reading by reading:

=============  =====================================================================================================
missing        unscored, as ``missing_signal`` or ``bad_quality``
spike          not anomalous, and no alert opens (a spike within what the signal often does may be scored as normal)
frozen         no alert opens; recognised is counted beside it, for stretches in which the other pressure moves
unit_flip      unscored, as ``unit_changed``
duplicate      of the readings of one moment exactly one is scored or could be
gap            what comes late has a label and opens no alert; what was put in its place is counted beside it
clock_skew     is judged by its own clock: scored, no alert opens
=============  =====================================================================================================
"""

import argparse
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from bench.judging import DAY_MS
from bench.simulated_wells import START_MS, Run, new_engine, run_fleet
from models.engine.codes import (
    ANOMALOUS,
    BAD,
    DUPLICATE,
    FROZEN,
    LATE,
    MISSING,
    NOTHING,
    OPENED,
    SCORABLE,
    UNIT,
    WARMING,
)
from models.simulator import Fleet, Rates, Truth
from models.stacks import LoadStack

Flags = npt.NDArray[np.bool_]

#: How much more often than in the field, so that each is seen often enough in a week of some wells.
OFTEN: Final[dict[str, float]] = {
    "missing": 1.0,
    "spike": 3.0,
    "frozen": 20.0,
    "unit_flip": 600.0,
    "duplicate": 1.0,
    "gap": 2.0,
    "clock_skew": 20.0,
}
#: From when on there is a history to judge by.
LEARNT_MS: Final = 2 * DAY_MS


def run_with(defect: str, seed: int, wells: int, days: int) -> Run:
    """A fleet with this defect alone."""
    others = {kind: 0.0 for kind in OFTEN if kind != defect}
    fleet = Fleet(seed, wells, START_MS, rates=Rates(events=0.0, by_kind={**others, defect: OFTEN[defect]}))
    return run_fleet(fleet, fleet.readings(START_MS + days * DAY_MS), days, new_engine("ensemble"), lambda _: None)


def hit_by(run: Run, defect: str) -> tuple[Flags, list[tuple[Truth, Flags]]]:
    """Which readings the defect hit, and for each of its stretches which."""
    number = {machine.machine_id: at for at, machine in enumerate(run.fleet.machines)}
    skew = np.array([well.skew_ms for well in run.fleet.wells])
    world_ms = run.time_ms - skew[run.machine]
    of_machine = [np.flatnonzero(run.machine == at) for at in range(len(number))]
    everything, stretches = np.zeros(len(run.kind), bool), []
    for truth in run.fleet.truth(run.end_ms):
        looked_at = truth.signal in (None, *LoadStack.signals)
        if truth.kind != defect or not looked_at or truth.start_ms < START_MS + LEARNT_MS:
            continue
        places = of_machine[number[truth.machine_id]]
        times = world_ms[places]
        single = truth.start_ms == truth.end_ms
        inside = (times == truth.start_ms) if single else (times >= truth.start_ms) & (times < truth.end_ms)
        hit = np.zeros(len(run.kind), bool)
        hit[places[inside]] = True
        everything |= hit
        if not single:
            stretches.append((truth, hit))
    if defect == "clock_skew":
        everything = (skew[run.machine] != 0) & (world_ms >= START_MS + LEARNT_MS)
    return everything, stretches


def _one_of_each_moment(run: Run, hit: Flags) -> Flags:
    """Readings of moments of which exactly one reading could be scored."""
    moment = run.machine.astype(np.int64) * (1 << 42) + (run.time_ms - START_MS)
    _, number = np.unique(moment, return_inverse=True)
    counts = np.bincount(number, weights=~np.isin(run.kind, (DUPLICATE, LATE)))
    right: Flags = counts[number] == 1
    return right | ~hit


#: For each defect: which readings were handled rightly.
RIGHT: Final[dict[str, Callable[[Run, Flags], Any]]] = {
    "missing": lambda run, _: np.isin(run.kind, (MISSING, BAD, NOTHING)),
    "spike": lambda run, _: (run.verdict != ANOMALOUS) & (run.alert != OPENED),
    "frozen": lambda run, _: run.alert != OPENED,
    "unit_flip": lambda run, _: run.kind == UNIT,
    "duplicate": _one_of_each_moment,
    "gap": lambda run, _: run.alert != OPENED,
    "clock_skew": lambda run, _: np.isin(run.kind, (SCORABLE, WARMING)) & (run.alert != OPENED),
}


def _recognised(run: Run, stretches: list[tuple[Truth, Flags]]) -> tuple[int, int]:
    """Of stretches with an hour or more of readings at hand: how many were recognised as frozen, and how many there are."""
    long = [hit for truth, hit in stretches if truth.end_ms - truth.start_ms >= 6 * 3_600_000 and hit.sum() >= 100]
    return sum(bool((run.kind[hit] == FROZEN).any()) for hit in long), len(long)


def _beside(defect: str, run: Run, hit: Flags, stretches: list[tuple[Truth, Flags]]) -> str:
    if defect == "frozen":
        return "{} of {} stretches recognised".format(*_recognised(run, stretches))
    if defect == "gap":
        placed, too_late = int(run.late[hit].sum()), int((run.kind[hit] == LATE).sum())
        return f"{placed:,} of {placed + too_late:,} late ones put in their place, {run.revised:,} labels issued again"
    return ""


def main() -> None:
    """Each defect by itself, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wells", type=int, default=60)
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--seed", type=int, default=21)
    options = parser.parse_args()
    table = Table("defect", "readings hit", "handled rightly", "alerts opened", "beside it")
    for defect, right in RIGHT.items():
        run = run_with(defect, options.seed, options.wells, options.days)
        hit, stretches = hit_by(run, defect)
        share = float(right(run, hit)[hit].mean()) if hit.any() else float("nan")
        found = _beside(defect, run, hit, stretches)
        table.add_row(defect, f"{hit.sum():,}", f"{share:.2%}", str(int((run.alert[hit] == OPENED).sum())), found)
    Console().print(table)


if __name__ == "__main__":
    main()
