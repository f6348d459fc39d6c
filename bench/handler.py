"""A handler's cold start and its warm calls: what a look back at one machine takes, and what of it is imports.

    python -m bench.handler [--days 30] [--rounds 5] [--calls 60] [--json FILE]

A well with a reading a minute, DynamoDB Local, a registry in a directory, and a query that gives its answer at once: what is
measured is ours. Cold is a fresh process, from its start to its answer; the first one ever writes ``--days`` of labels, later
ones find them there. Warm is the same process asked again every hour of event time: an hour of labels is new. Then the same
without a model in the registry, so that each call fits its own.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from bench.figures import Figures, figure, hand_on, median_of, taken_on
from models.fitting import FitParameters
from schemas.times import moment
from schemas.training import SourceRange, TrainingRequest
from streams.build_info import BuildInfo
from streams.demo.children import settings_variables
from streams.label_store import LabelStore
from streams.parts.dynamodb_jars import DynamoJars
from streams.registry import Registry
from streams.settings import Settings, load_settings
from streams.trainer.making import handle_request

_START_MS = 1_795_478_400_000
_MINUTE_MS = 60_000
_DAY = 1_440

#: Run in a process of its own: says when it is ready, then answers each event.
_CHILD = """
import json, sys, time
began_s = time.perf_counter()
from models.stacks import LoadStack
from schemas.outputs import LoadADOutput
from streams.handler import CleanDataStack, QuerySource, handler_for
imported_s = time.perf_counter()
import numpy as np
rows = np.load(sys.argv[1])

def query_clean_data(query):
    first, last = (np.datetime64(query[name][:-1]).astype("datetime64[ms]").astype(int) for name in ("from_time", "to_time"))
    part = rows[:, (rows[0] >= first) & (rows[0] <= last)]
    return {"time": part[0].astype("datetime64[ms]"), "Casing Pressure": part[1], "Tubing Pressure": part[2]}

class LoadAD(CleanDataStack):
    stack = LoadStack()
    description = ("Casing Pressure", "Tubing Pressure")
    output = LoadADOutput

handler = handler_for(LoadAD, QuerySource(query_clean_data))
ready_s = time.perf_counter()
for line in sys.stdin:
    asked_s = time.perf_counter()
    said = handler(json.loads(line), None)
    took_s = time.perf_counter() - asked_s
    print(json.dumps({
        "imports_ms": 1e3 * (imported_s - began_s), "ready_ms": 1e3 * (ready_s - began_s), "took_ms": 1e3 * took_s,
        "labels": len(said["labels"]), "written": said["written"], "model": said["model_digest"],
    }), flush=True)
"""

_IMPORT = "import time; began_s = time.perf_counter(); import {}; print(1e3 * (time.perf_counter() - began_s))"


class Child:
    """A process with a handler."""

    def __init__(self, settings: Settings, rows: Path) -> None:
        self.began_s = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(rows)],
            env={**os.environ, **settings_variables(settings)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def ask(self, event: dict[str, Any]) -> dict[str, Any]:
        """One event answered."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def well(days: int) -> np.ndarray:
    """Times (epoch ms), casing and tubing pressure (psi) of a quiet well, a reading a minute (3 x minutes)."""
    minutes = np.arange(days * _DAY)
    noise = np.random.default_rng(5).normal(0, 2, (2, len(minutes)))
    casing = 500 + 8 * np.sin(minutes * (2 * math.pi / _DAY)) + noise[0]
    return np.stack([_START_MS + _MINUTE_MS * minutes, casing.round(2), (250 + noise[1]).round(2)])


def store_model(settings: Settings, machine: str, rows: np.ndarray) -> None:
    """A model fitted to the last readings, as a trainer stores it."""
    medians = (rows[1] - rows[2])[-1_024:]
    request = TrainingRequest(
        request_id="load-0-1023", client_id="acme", machine_id=machine, stack="load", reason="first", features=["load"],
        medians=[medians.tolist()], readings=len(medians), exclusions=[], parent_digest=None, seed=7,
        source=SourceRange(
            topic="query", partition=0, first_time=moment(_START_MS), last_time=moment(_START_MS), last_offset=1_023
        ),
    )  # fmt: skip
    build = BuildInfo("bench", "none", None)
    Registry(settings.registry).store(handle_request(request, moment(_START_MS), FitParameters(), build))


def event(machine: str, days: int, hour: int) -> dict[str, Any]:
    """A look back from so many hours after the first ``days`` days."""
    to_ms = _START_MS + _MINUTE_MS * (days * _DAY + 60 * hour - 1)
    return {"client_id": "acme", "machine_id": machine, "lookback": days, "to_time": to_ms}


def cold(settings: Settings, rows: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """A fresh process to its first answer."""
    child = Child(settings, rows)
    said = child.ask(asked)
    said["cold_ms"] = 1e3 * (time.perf_counter() - child.began_s)
    child.close()
    return said


def import_ms(modules: str) -> float:
    """What importing takes in a fresh process."""
    done = subprocess.run([sys.executable, "-c", _IMPORT.format(modules)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def measure(settings: Settings, directory: Path, days: int, rounds: int, calls: int) -> Figures:
    """All figures."""
    rows, rows_at = well(days + calls // 24 + 2), directory / "rows.npy"
    np.save(rows_at, rows)
    store_model(settings, "registered", rows)
    cold(settings, rows_at, event("nobody", 1, 0))  # what is compiled is compiled, what is read from disk is read
    found: Figures = {}
    first = cold(settings, rows_at, event("registered", days, 0))
    assert first["written"] == days * _DAY
    found["cold_first_ms"] = figure(round(first["cold_ms"]), "ms", labels=first["labels"], written=first["written"])
    colds = [cold(settings, rows_at, event("registered", days, hour)) for hour in range(1, rounds + 1)]
    found["cold_ms"] = median_of([one["cold_ms"] for one in colds], "ms")
    found["of_that_imports_ms"] = median_of([one["imports_ms"] for one in colds], "ms")
    found["of_that_until_ready_ms"] = median_of([one["ready_ms"] for one in colds], "ms")
    found["of_that_first_call_ms"] = median_of([one["took_ms"] for one in colds], "ms")
    for machine, name in (("registered", "warm"), ("fits", "fitting_itself")):
        child = Child(settings, rows_at)
        child.ask(event(machine, days, rounds))
        count = calls if machine == "registered" else max(3, calls // 10)
        took = [child.ask(event(machine, days, hour))["took_ms"] for hour in range(rounds + 1, rounds + 1 + count)]
        child.close()
        found[f"{name}_p50_ms"] = figure(round(float(np.quantile(took, 0.5)), 1), "ms", calls=count)
        found[f"{name}_p99_ms"] = figure(round(float(np.quantile(took, 0.99)), 1), "ms", calls=count)
    found["import_handler_ms"] = median_of([import_ms("streams.handler") for _ in range(rounds)], "ms")
    found["import_worker_ms"] = median_of([import_ms("streams.worker.app") for _ in range(rounds)], "ms")
    return found


def main() -> None:
    """Start the parts, measure, hand on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30, help="of a reading a minute, looked back at")
    parser.add_argument("--rounds", type=int, default=5, help="cold starts")
    parser.add_argument("--calls", type=int, default=60, help="warm calls")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print("\n".join(taken_on()))
    with DynamoJars() as dynamo, tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        settings = load_settings(
            registry={"url": str(directory / "registry")},
            dynamodb={
                "endpoint": dynamo.url, "table": f"bench-{uuid.uuid4().hex[:8]}", "access_key_id": "local",
                "secret_access_key": "local",
            },
        )  # fmt: skip
        with LabelStore(settings.dynamodb) as store:
            store.ensure_table()
        hand_on(measure(settings, directory, options.days, options.rounds, options.calls), options.json)


if __name__ == "__main__":
    main()
