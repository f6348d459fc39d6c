"""Where the worker's time goes: flame graphs by py-spy, and a table of self time by module and library.

    python -m bench.flame [--directory docs/plots] [--seconds 10] [--machines 5000] [--rate 5000] [--json FILE]

A worker catches up a filled topic, then keeps up with ``--rate`` readings a second. Each time py-spy looks at it a hundred
times a second, once for ``worker-full-speed.svg`` or ``worker-steady.svg`` and once for the table. Compiled code counts for
the Python function that called it. What waits is left out, so all of it together is the share of a core that is in use;
py-spy halts the worker while it looks, so it is a little slower than it is by itself.

The worker allows itself to be looked at, so that no special rights are needed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.contenders import PARTITIONS
from bench.figures import Figures, figure, taken_on
from bench.figures import hand_on as _hand_on
from bench.fleet import START_S, readings, send_all
from bench.steady_feed import steady_feed
from bench.workers import Ends, Group, Worker, minutes_ago, new_installation
from streams.parts.kafka_jars import KafkaJars

_RATE_HZ: Final = 100
_READINGS_EACH: Final = 60
_MOST_ROWS: Final = 24
#: More than the worker judges a second.
_FULL_SPEED: Final = 90_000
_PY_SPY: Final = Path(sys.executable).with_name("py-spy")
#: PR_SET_PTRACER, any process: where Linux lets nobody but a parent look, as most do.
_WORKER: Final = """
import ctypes, sys
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)
sys.argv = ["wellsentry", "worker"]
from streams.cli.main import main
main()
"""


class OpenWorker(Worker):
    """A worker that may be looked at."""

    def command(self) -> list[str]:
        """As it is shipped, but for that."""
        return [sys.executable, "-c", _WORKER]


def record(pid: int, seconds: float, form: str, path: Path, *options: str) -> None:
    """One recording by py-spy."""
    command = [str(_PY_SPY), "record", "--pid", str(pid), "--duration", str(round(seconds)), "--rate", str(_RATE_HZ)]
    command += ["--gil", "--function", "--format", form, "--output", str(path), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"py-spy could not look at the worker:\n{done.stdout}{done.stderr}")


def self_time(raw: str) -> Counter[str]:
    """Samples by what was on top of the stack: a file of ours, else a library."""
    found: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        found[_place(stack.rpartition(";")[2])] += int(count)
    return found


def _place(frame: str) -> str:
    """Where a frame belongs.

    >>> _place("judge (/somewhere/streams/worker/partition.py)")
    'streams/worker/partition.py'
    >>> _place("pack (/x/lib/python3.11/site-packages/aiokafka/util.py:12)")
    'aiokafka'
    >>> _place("select (/usr/lib/python3.11/selectors.py:468)")
    'Python: selectors'
    """
    match = re.search(r"\((.*?)(:\d+)?\)$", frame)
    if match is None:
        return frame
    path = match[1]
    if "site-packages/" in path:
        return re.split(r"[/.]", path.rpartition("site-packages/")[2])[0]
    if ours := re.search(r"(?:^|/)((?:schemas|models|streams)/.*)$", path):
        return ours[1]
    return f"Python: {re.sub(r'^.*/python3[.0-9]*/', '', path).removesuffix('.py').split('/')[0]}"


def look_at(one: Worker, name: str, directory: Path, seconds: float) -> Figures:
    """Both recordings of what the worker is doing now; the shares, printed as a table."""
    svg = directory / f"worker-{name}.svg"
    record(one.pid, seconds, "flamegraph", svg)
    _without_places(svg)
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "raw"
        record(one.pid, seconds, "raw", raw, "--full-filenames")
        found = self_time(raw.read_text())
    total, looks = sum(found.values()), seconds * _RATE_HZ
    table = Table(
        "where the time goes: self time",
        "share",
        title=f"{name}: the interpreter is busy for {100 * total / looks:.0f} % of the time",
        min_width=60,
    )
    for place, count in found.most_common(_MOST_ROWS):
        table.add_row(place, f"{100 * count / total:.1f} %")
    rest = sum(count for _, count in found.most_common()[_MOST_ROWS:])
    table.add_row("all others", f"{100 * rest / total:.1f} %")
    Console().print(table)
    print(f"{svg}: {svg.stat().st_size / 1000:.0f} kB", flush=True)
    shares = {
        f"{name}: {place}": figure(round(100 * count / total, 1), "%") for place, count in found.most_common(_MOST_ROWS)
    }
    return {f"{name}: interpreter busy": figure(round(100 * total / looks, 1), "%"), **shares}


def _without_places(svg: Path) -> None:
    """Take out where this machine keeps Python and the project."""
    text = svg.read_text()
    for prefix in (f"{Path.cwd()}/", f"{sys.prefix}/", f"{sys.base_prefix}/"):
        text = text.replace(prefix, "")
    svg.write_text(text)


def main() -> None:
    """Both speeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", type=Path, default=Path("docs/plots"))
    parser.add_argument("--seconds", type=float, default=10.0, help="of each of the four recordings")
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    if not _PY_SPY.exists():
        raise SystemExit("py-spy is not installed: make dev-environment")
    options.directory.mkdir(parents=True, exist_ok=True)
    print("\n".join(taken_on()), flush=True)
    with KafkaJars() as kafka:
        figures = _full_speed(kafka.url, options) | _steady(kafka.url, options)
    if options.json:
        _hand_on(figures, options.json)


def _full_speed(url: str, options: argparse.Namespace) -> Figures:
    prefix = new_installation(url, options.machines, _READINGS_EACH, START_S)
    count = round(_FULL_SPEED * (2 * options.seconds + 2))
    come = readings(count, options.machines, PARTITIONS, start_s=START_S + 60 * _READINGS_EACH)
    send_all(url, f"{prefix}.readings", come)
    labels = Ends(url, f"{prefix}.labels")
    one = OpenWorker(url, prefix)
    try:
        labels.wait(options.machines * _READINGS_EACH, 120.0)
        before, began_s = labels.count(), time.monotonic()
        found = look_at(one, "full-speed", options.directory, options.seconds)
        done, elapsed_s = labels.count() - before, time.monotonic() - began_s
        print(f"full speed: {done / elapsed_s:,.0f} readings/s while it was looked at")
        if labels.count() >= count + options.machines * _READINGS_EACH:
            raise SystemExit("the worker had caught up before the end: it was not at full speed all the time")
    finally:
        labels.close()
        one.end()
    return found


def _steady(url: str, options: argparse.Namespace) -> Figures:
    prefix = new_installation(url, options.machines, _READINGS_EACH, minutes_ago(_READINGS_EACH))
    one = OpenWorker(url, prefix)
    group = Group(url, prefix)
    try:
        group.wait(1, 0, [one])
        with steady_feed(url, prefix, options.machines, options.rate, 2 * options.seconds + 30.0):
            time.sleep(4.0)
            return look_at(one, "steady", options.directory, options.seconds)
    finally:
        group.close()
        one.end()


if __name__ == "__main__":
    main()
