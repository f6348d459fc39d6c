"""All that was promised, in one table: what | seen | mark | go for.

    python -m bench.table [--quick] [--only TEXT ...] [--keep DIRECTORY] [--json FILE]

Runs the benches one after the other, each as the command that it is by itself, and reads what each hands on. A mark that is
missed is shown as missed, and one without a figure as not measured; the exit status is 0 unless a command breaks. ``--quick``
takes one short round of each: it shows that all work, and no figure of it is one to quote. ``--only restart sink`` runs those
alone; ``--keep`` leaves what they hand on in a directory, and shows again what lies there for those that are not run.

What a bench hands on with ``--json FILE``: one object, figures by name,

    {"worker_to_quix": {"value": 4.9, "unit": "times as fast", "rounds": [4.8, 4.9, 5.0]}, ...}

``value`` is the median of the rounds and the only thing this table needs; a bare number will do as well. What else a figure
has is for the reader. :data:`MARKS` says which figure of which bench each line shows.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.figures import taken_on


@dataclass(frozen=True, slots=True)
class Bench:
    """One command, and how it is cut short."""

    module: str  # below bench
    quick: tuple[str, ...] | None = ()  # None: left out of the short form
    arguments: tuple[str, ...] = ()
    called: str | None = None  # where a module is run more than once

    @property
    def name(self) -> str:
        """What it is called here."""
        return self.called or self.module


@dataclass(frozen=True, slots=True)
class Mark:
    """What a figure has to reach, and what it should."""

    what: str
    bench: str
    figure: str
    mark: float
    go_for: float
    form: str = "{:.2f}"
    at_most: bool = False  # else at least

    def is_reached(self, seen: float) -> bool:
        """Whether ``seen`` is good enough."""
        return seen <= self.mark if self.at_most else seen >= self.mark

    def is_surpassed(self, seen: float) -> bool:
        """Whether ``seen`` is as good as one could wish."""
        return seen <= self.go_for if self.at_most else seen >= self.go_for


_FEW = ("--rounds", "1")
_SHORT_FEED = ("--history", "20", "--seconds", "5")
BENCHES: Final = (
    Bench("readings_per_second", (*_FEW, "--readings", "150000")),
    Bench("latency", (*_FEW, "--seconds", "6")),
    Bench("two_workers", (*_FEW, "--readings", "150000")),
    Bench("takeover", _FEW),
    Bench("restart", (*_FEW, "--readings-each", "60")),
    Bench("memory", _SHORT_FEED, ("--machines", "5000", "--history", "100"), "memory_5000"),
    Bench("memory", None, ("--machines", "50000", "--history", "100"), "memory_50000"),
    Bench("sink", ("--steps", "24")),
    Bench("engine_costs", ("--most-machines", "500")),
    Bench("explore", ("--machines", "10", "--days", "5")),
    Bench("replay", (*_FEW, "--readings", "150000")),
    Bench("handler", ("--days", "7", "--rounds", "1", "--calls", "5")),
)

_CALL = "a call with 1 readings, us: in all"
_CHANGELOG = "500 machines, window 40: bytes of changelog a reading, written after 1"
# fmt: off
MARKS: Final = (
    Mark("against aiokafka, plain Python, no state", "readings_per_second", "worker_to_plain_loop", 1.1, 1.5, "{:.2f} x"),
    Mark("against aiokafka, our engine, no state", "readings_per_second", "worker_to_bare_loop", 0.8, 0.95, "{:.2f} x"),
    Mark("against Quix Streams with its state store", "readings_per_second", "worker_to_quix", 4, 6, "{:.1f} x"),
    Mark("against Faust as its documentation shows it", "readings_per_second", "worker_to_faust", 40, 80, "{:.0f} x"),
    Mark("99th percentile at 5,000/s", "latency", "p99_ms_at_5000", 25, 15, "{:.0f} ms", at_most=True),
    Mark("99th percentile at 20,000/s", "latency", "p99_ms_at_20000", 25, 15, "{:.0f} ms", at_most=True),
    Mark("rise at 5,000/s, all refit", "latency", "p99_rise_at_5000_while_refit", 20, 5, "{:+.0f} %", at_most=True),
    Mark("rise at 20,000/s, all refit", "latency", "p99_rise_at_20000_while_refit", 20, 5, "{:+.0f} %", at_most=True),
    Mark("two workers against one", "two_workers", "two_workers_to_one", 1.3, 1.6, "{:.2f} x"),
    Mark("worker's memory, 5,000 machines", "memory_5000", "steady_mb", 500, 300, "{:,.0f} MB", at_most=True),
    Mark("worker's memory, 50,000 machines", "memory_50000", "steady_mb", 4_000, 2_500, "{:,.0f} MB", at_most=True),
    Mark("changelog a reading", "engine_costs", _CHANGELOG, 300, 100, "{:.0f} bytes", at_most=True),
    Mark("cold restart, 5,000 machines", "restart", "first_label_beyond_join_s", 5, 2, "{:.1f} s", at_most=True),
    Mark("labels after kill -9, beyond the timeout", "takeover", "takeover_worst_s", 5, 2, "{:+.1f} s", at_most=True),
    Mark("labels a DynamoDB write unit", "sink", "labels_per_unit", 30, 50, "{:.0f}"),
    Mark("labels a second into DynamoDB Local", "sink", "labels_per_s", 20_000, 50_000, "{:,.0f}/s"),
    Mark("a month of 100 machines explored, files", "explore", "from_csv_s", 60, 30, "{:.0f} s", at_most=True),
    Mark("a month of 100 machines explored, topic", "explore", "from_topic_s", 60, 30, "{:.0f} s", at_most=True),
    Mark("a replay against the worker, judging", "replay", "replay_file_to_worker", 1.0, 1.2, "{:.2f} x"),
    Mark("a handler's cold start, 30 days", "handler", "cold_ms", 4_000, 2_500, "{:,.0f} ms", at_most=True),
    Mark("a handler's warm call, 99th percentile", "handler", "warm_p99_ms", 2_000, 1_000, "{:,.0f} ms", at_most=True),
    Mark("one reading, a single call", "engine_costs", _CALL, 100, 30, "{:.0f} us", at_most=True),
)
# fmt: on


def run(bench: Bench, handed_on: Path, *, quick: bool) -> bool:
    """Run one bench, shown as it goes; whether it came to its end."""
    arguments = (*bench.arguments, *((bench.quick or ()) if quick else ()), "--json", str(handed_on))
    print(f"\n=== python -m bench.{bench.module} {' '.join(arguments)}", flush=True)
    began_s = time.monotonic()
    status = subprocess.run([sys.executable, "-m", f"bench.{bench.module}", *arguments], check=False).returncode
    ended = "ended" if status == 0 else f"BROKE with status {status}"
    print(f"=== {bench.name} {ended} after {time.monotonic() - began_s:.0f} s", flush=True)
    return status == 0


def value_of(figures: Mapping[str, Any], name: str) -> float | None:
    """One figure, None where there is none.

    >>> value_of({"a": {"value": 2.0, "unit": "s"}, "b": 3}, "a"), value_of({"b": 3}, "b"), value_of({}, "c")
    (2.0, 3.0, None)
    """
    found = figures.get(name)
    if isinstance(found, Mapping):
        found = found.get("value")
    return None if found is None else float(found)


def verdict(mark: Mark, seen: float | None, broken: Iterable[str]) -> str:
    """How a figure stands to its mark."""
    if seen is None:
        return "its bench broke" if mark.bench in broken else "not measured"
    return "surpassed" if mark.is_surpassed(seen) else "reached" if mark.is_reached(seen) else "MISSED"


def table(figures: Mapping[str, Mapping[str, Any]], broken: Iterable[str]) -> Table:
    """All marks."""
    made = Table("what", "seen", "mark", "go for", "")
    for mark in MARKS:
        seen = value_of(figures.get(mark.bench, {}), mark.figure)
        shown = "" if seen is None else mark.form.format(seen)
        made.add_row(
            mark.what, shown, mark.form.format(mark.mark), mark.form.format(mark.go_for), verdict(mark, seen, broken)
        )
    return made


def main() -> int:
    """All benches, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", choices=[one.name for one in BENCHES], help="run these alone")
    parser.add_argument("--keep", type=Path, help="a directory for what the benches hand on")
    parser.add_argument("--json", type=Path, help="where all figures go, by bench")
    options = parser.parse_args()
    chosen = [one for one in BENCHES if options.only is None or one.name in options.only]
    if options.quick:
        chosen = [one for one in chosen if one.quick is not None]
    figures: dict[str, Any] = {}
    broken: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        directory = options.keep or Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        for bench in BENCHES:
            handed_on = directory / f"{bench.name}.json"
            if bench in chosen:
                handed_on.unlink(missing_ok=True)
                if not run(bench, handed_on, quick=options.quick):
                    broken.append(bench.name)
            if handed_on.exists():
                figures[bench.name] = json.loads(handed_on.read_text())
    print("\n" + "\n".join(taken_on()))
    if options.quick:
        print("one short round of each: no figures to quote")
    Console(width=120).print(table(figures, broken))
    if options.json:
        options.json.write_text(json.dumps({"taken_on": taken_on(), **figures}, indent=1) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
