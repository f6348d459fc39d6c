"""What memory a worker needs: at its peak and steadily, and what it is used for.

    python -m bench.memory [--machines 5000] [--rate 5000] [--seconds 30] [--history 0] [--json FILE]

Each machine has a model of its own. With ``--history`` each has judged so many readings before; its state is full from
1,024 on. Then readings come at a steady rate, during which the memory is looked at twice a second.
"""

import argparse
import contextlib
import itertools
import json
import statistics
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

from bench.contenders import PARTITIONS
from bench.fleet import create_topics, models, readings, send_all
from bench.steady_feed import feed_for
from bench.workers import Ends, Worker, worker
from models.engine.engine import Engine
from models.engine.ensemble import EnsembleScorer
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from streams.parts.kafka_jars import KafkaJars

_MEGABYTE = 1_000_000
_LOOK_EVERY_S = 0.5

#: Run in a process of its own: its memory when the worker's modules are imported, and when its steps are loaded.
_EMPTY_WORKER = """
from pathlib import Path
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
import streams.cli.main
from streams.runs.memory import keep_little_memory, let_go_of_code
from streams.worker.app import engine_parts, rehearse
from streams.settings import WorkerSettings
keep_little_memory()
imported = resident()
rehearse(*engine_parts(WorkerSettings()))
loaded = resident()
let_go_of_code("llvmlite")
print(imported, loaded, resident())
"""


class Watch(threading.Thread):
    """Looks at a worker's memory until it is told to stop."""

    def __init__(self, one: Worker) -> None:
        super().__init__(daemon=True)
        self._worker, self._stop_now = one, threading.Event()
        self.resident: list[float] = []
        self.proportional: list[float] = []

    def run(self) -> None:
        """Look twice a second."""
        while not self._stop_now.wait(_LOOK_EVERY_S):
            self.resident.append(self._worker.memory_mb)
            self.proportional.append(self._worker.proportional_mb)

    def end(self) -> None:
        """Look no more."""
        self._stop_now.set()
        self.join()


def bytes_a_machine() -> int:
    """State of a machine of the load stack."""
    one = Engine(Machines(choose_stacks(["load"]), EngineSettings())).stacks["load"]
    views = one.scorer.views if isinstance(one.scorer, EnsembleScorer) else None
    return one.state.row_bytes + (views.row_bytes if views is not None else 0)


def empty_worker_mb() -> tuple[float, float, float]:
    """Memory of the imported modules; with the steps; and when the compiler's code is given back."""
    made = subprocess.run([sys.executable, "-c", _EMPTY_WORKER], capture_output=True, check=True, text=True)
    imported, loaded, kept = map(float, made.stdout.split())
    return imported, loaded, kept


def main() -> None:
    """Fill, feed, look, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--history", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    machines = options.machines
    imported, loaded, kept = empty_worker_mb()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(KafkaJars()).url
        prefix = f"bench-{uuid.uuid4().hex[:8]}"
        create_topics(url, prefix, PARTITIONS)
        send_all(url, f"{prefix}.models", models(machines, PARTITIONS))
        labels = Ends(url, f"{prefix}.labels")
        come = readings(options.history * machines, machines, PARTITIONS)
        one = stack.enter_context(worker(url, prefix))
        total = 0
        for _ in range(options.history):
            total += send_all(url, f"{prefix}.readings", itertools.islice(come, machines))
            labels.wait(total - 20 * machines, 300.0)
        labels.wait(total, 300.0)
        feed_for(url, prefix, machines, options.rate, 1.0)
        labels.wait(total + 1, 600.0)
        before_feed = one.peak_mb
        watch = Watch(one)
        watch.start()
        feed_for(url, prefix, machines, options.rate, options.seconds)
        watch.end()
        time.sleep(3.0)
        figures = {
            "machines": machines,
            "readings_each": options.history,
            "peak_mb": one.peak_mb,
            "peak_before_steady_rate_mb": before_feed,
            "steady_mb": statistics.median(watch.resident[len(watch.resident) // 2 :]),
            "steady_proportional_mb": statistics.median(watch.proportional[len(watch.proportional) // 2 :]),
            "at_rest_mb": one.memory_mb,
            "of_that_files_mb": one.of_files_mb,
            "modules_mb": imported,
            "steps_mb": loaded - imported,
            "given_back_mb": loaded - kept,
            "state_when_full_mb": bytes_a_machine() * machines / _MEGABYTE,
            "bytes_a_machine": bytes_a_machine(),
        }
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
