"""What the engine costs by itself, without Kafka: time, memory and changelog of a reading.

    python -m bench.engine_costs [--most-machines 5000] [--calls] [--json FILE]

One reading of one machine at a time, as a single call makes it, and small runs, part by part and with models in force; runs
of many; fleets of 500 to as many as asked for; windows of 40 and 400. Microseconds of this process's own processor time, the
median of five. ``--calls``: only the single calls.
"""

import argparse
import json
import statistics
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from models.engine.batch import WIDE, ReadingBatch, make_batch
from models.engine.engine import Engine
from models.engine.ensemble import EnsembleScorer
from models.engine.labels import Stamp, make_labels
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.fitting import FitParameters, fit_model
from models.stacks import LoadStack, Window
from schemas.times import moment
from schemas.training import ModelUpdate
from schemas.twins import write_twin
from streams.worker.intake import take_in
from streams.worker.limits import Limits

_START_MS: Final = 1_767_225_600_000
_STAMP: Final = Stamp("readings", "bench", "bench")
_LIMITS: Final = Limits(65_536, 100_000)
_ROUNDS: Final = 5
#: Machines that get a model of their own.
_WITH_MODELS: Final = 100
#: Readings of each machine before anything is measured: all windows but the longest are full then.
_BEFORE: Final = 60


class Fleet:
    """Machines that all measure once a minute."""

    def __init__(self, machines: int, window: int) -> None:
        stack = type("LoadStack", (LoadStack,), {"window": Window(window)})()
        self.engine = Engine(Machines((stack,), EngineSettings(refits=False)))
        self.machines = machines
        for number in range(machines):
            self.engine.slot("bench", f"well-{number}")
        self._rng = np.random.default_rng(1)
        self._come = 0

    def batch(self, count: int) -> ReadingBatch:
        """The next ``count`` readings."""
        at = np.arange(self._come, self._come + count)
        self._come += count
        values = np.round(self._rng.normal((300.0, 200.0), 10.0, (count, 2)), 1)
        return make_batch(
            self.engine.vocabulary, (at % self.machines).tolist(), at.tolist(), _START_MS + at // self.machines * 60_000,
            [WIDE] * count, values, [1.0] * count, [False] * count,
        )  # fmt: skip

    def messages(self, count: int) -> list[Any]:
        """The next ``count`` readings, as Kafka would bring them."""
        batch = self.batch(count)
        return [
            SimpleNamespace(
                key=f"well-{slot}".encode(),
                value=json.dumps(
                    {
                        "client_id": "bench",
                        "machine_id": f"well-{slot}",
                        "time": time_ms / 1000,
                        "casing_pressure": casing,
                        "tubing_pressure": tubing,
                    }
                ).encode(),
                offset=offset,
            )
            for slot, offset, time_ms, (casing, tubing) in zip(
                batch.slot.tolist(), batch.offset.tolist(), batch.time_ms.tolist(), batch.values.tolist(), strict=True
            )
        ]

    def adopt_models(self) -> None:
        """Put a model of its own in force for each machine."""
        for number in range(self.machines):
            medians = self._rng.normal(100.0, 3.0, 200)
            fitted = fit_model(["load"], [medians.tolist()], FitParameters(trees=20), number)
            self.engine.adopt(
                ModelUpdate(
                    digest=fitted.digest, client_id="bench", machine_id=f"well-{number}", stack="load", rung="own",
                    detector="isolation_forest", features=list(fitted.features), readings=fitted.readings,
                    fitted_at=moment(_START_MS), reason="first", request_id=None, parent_digest=None, manifest="",
                    code_version="bench", git_commit="bench",
                ),
                self._come,
            )  # fmt: skip

    def warm_up(self) -> None:
        """Fill the windows."""
        for _ in range(_BEFORE):
            self.engine.step(self.batch(self.machines))


def step_us(fleet: Fleet, run: int, runs: int) -> float:
    """Microseconds a reading in the steps, in runs of ``run`` readings."""
    found = []
    for _ in range(_ROUNDS):
        batches = [fleet.batch(run) for _ in range(runs)]
        begun = time.process_time()
        for batch in batches:
            fleet.engine.step(batch)
        found.append((time.process_time() - begun) / (run * runs) * 1e6)
    return statistics.median(found)


def call_us(fleet: Fleet, run: int) -> dict[str, float]:
    """Microseconds of a call with ``run`` readings, by part: from messages to columns, the steps, labels, and their JSON."""
    calls = max(5, 500 // run)
    engine, stack = fleet.engine, fleet.engine.stacks["load"]
    parts: dict[str, list[float]] = {"messages to columns": [], "steps": [], "labels": [], "label JSON": []}
    for _ in range(_ROUNDS):
        spent = dict.fromkeys(parts, 0.0)
        for messages in [fleet.messages(run) for _ in range(calls)]:
            at = [time.process_time()]
            batch = take_in([(engine, messages)], _LIMITS, "readings").batch
            at.append(time.process_time())
            verdicts = engine.step(batch)["load"]
            at.append(time.process_time())
            made = make_labels(stack, verdicts, batch, engine.machines.names, _STAMP)
            at.append(time.process_time())
            _ = [write_twin(label) for label in made.labels]
            at.append(time.process_time())
            for name, (begun, ended) in zip(parts, pairwise(at), strict=True):
                spent[name] += ended - begun
        for name, seconds in spent.items():
            parts[name].append(seconds / calls * 1e6)
    return {name: statistics.median(found) for name, found in parts.items()}


def bytes_of(fleet: Fleet) -> float:
    """Memory of a machine's state, bytes."""
    one = fleet.engine.stacks["load"]
    assert isinstance(one.scorer, EnsembleScorer)
    return one.state.row_bytes + one.scorer.views.row_bytes


def changelog_bytes(fleet: Fleet, readings_each: int) -> float:
    """Bytes of changelog for a reading when each machine's state is written after so many of its readings."""
    touched = [("load", slot) for slot in range(fleet.machines)]
    for _ in range(2):
        fleet.engine.records(touched, ())
    written = readings = 0
    for _ in range(max(4, 64 // readings_each)):
        fleet.engine.step(fleet.batch(fleet.machines * readings_each))
        written += sum(len(key) + len(value) for key, value in fleet.engine.records(touched, ()))
        readings += fleet.machines * readings_each
    return written / readings


def _single_calls() -> dict[str, float]:
    fleet = Fleet(_WITH_MODELS, 40)
    fleet.warm_up()
    fleet.adopt_models()
    fleet.warm_up()
    figures: dict[str, float] = {}
    for run in (1, 6, 50, 500, 2_000):
        parts = call_us(fleet, run)
        figures |= {f"a call with {run:,} readings, us: {name}": us for name, us in parts.items()}
        figures[f"a call with {run:,} readings, us: in all"] = sum(parts.values())
    return figures


def main() -> None:
    """All costs in a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most-machines", type=int, default=5_000)
    parser.add_argument("--calls", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, float] = _single_calls()
    for window in () if options.calls else (40, 400):
        for machines in (500, 5_000, 50_000):
            if machines > options.most_machines:
                continue
            fleet = Fleet(machines, window)
            fleet.warm_up()
            name = f"{machines:,} machines, window {window}"
            figures[f"{name}: us a reading in runs of 4,000"] = step_us(fleet, 4_000, 5)
            if machines == 500 and window == 40:
                for run in (1, 10, 100, 1_000):
                    figures[f"{name}: us a reading in runs of {run:,}"] = step_us(fleet, run, max(5, 2_000 // run))
                figures[f"{name}: bytes of memory a machine"] = bytes_of(fleet)
                for each in (1, 4, 16):
                    figures[f"{name}: bytes of changelog a reading, written after {each}"] = changelog_bytes(
                        fleet, each
                    )
    table = Table("what", "")
    for name, figure in figures.items():
        table.add_row(name, f"{figure:,.1f}")
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
