"""How long a month of a fleet takes to be explored: from Parquet, from CSV, and from a topic on Apache Kafka.

    python -m bench.explore [--machines 100] [--days 30] [--json FILE]

One reading a minute of four signals: plunger wells, each with a rhythm of its own. The clock runs from the command's start to
its end, as for a person who waits: imports, reading, measuring, drawing, writing.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from bench.figures import Figures, figure, hand_on, taken_on
from bench.fleet import Message, create_topics, partition_of, send_all
from models.batches import Floats
from streams.parts.kafka_jars import KafkaJars

_PARTITIONS = 4
_SIGNALS = ("casing_pressure", "tubing_pressure", "line_pressure", "flow_rate")
_START_S = 1_767_225_600


def main() -> None:
    """Make the month, and explore it three times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=100)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    print("\n".join(taken_on()))
    rows = options.days * 1440
    figures: Figures = {"readings": figure(options.machines * rows, "")}
    with tempfile.TemporaryDirectory() as scratch, KafkaJars() as kafka:
        directory = Path(scratch)
        for ending in ("parquet", "csv"):
            (directory / ending).mkdir()
            for machine in range(options.machines):
                _write(directory / ending / f"well-{machine:04d}.{ending}", _well(machine, rows))
            figures |= _explored(ending, [str(directory / ending)], directory, {})
        prefix = f"bench-{uuid.uuid4().hex[:8]}"
        create_topics(kafka.url, prefix, _PARTITIONS)
        send_all(kafka.url, f"{prefix}.readings", _messages(options.machines, rows))
        broker = {"WELLSENTRY_BROKER__URL": kafka.url, "WELLSENTRY_BROKER__TOPIC_PREFIX": prefix}
        figures |= _explored("topic", [], directory, broker)
    hand_on(figures, options.json)


def _well(machine: int, rows: int) -> Floats:
    """One well's month (rows x 4), in tenths."""
    rng = np.random.default_rng(machine)
    length = 40 + machine % 97
    phase = ((np.arange(rows) + 7 * machine) % length) / length
    shut = phase < 0.7
    casing = 100 + machine % 13 + 40 * np.where(shut, phase / 0.7, 1 - (phase - 0.7) / 0.3)
    tubing = np.where(shut, casing - 8, 75)
    line = 70 + 3 * np.sin(np.arange(rows) / 1440 * 2 * np.pi)
    flow = np.where(shut, 0.0, 300.0)
    values = np.column_stack((casing, tubing, line, flow)) + rng.normal(size=(rows, 4)) * (1, 1, 0.5, 5)
    return np.maximum(values, 0).round(1)


def _write(path: Path, values: Floats) -> None:
    times = np.datetime64(_START_S, "s") + np.arange(len(values)).astype("timedelta64[m]")
    table = pa.table({"time": times.astype("datetime64[ms]")} | {name: values[:, i] for i, name in enumerate(_SIGNALS)})
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        pyarrow.parquet.write_table(table, path)


def _messages(machines: int, rows: int) -> Iterator[Message]:
    """All readings in the order of their times, as a feed sends them."""
    keys = [f"well-{machine:04d}".encode() for machine in range(machines)]
    homes = [partition_of(key, _PARTITIONS) for key in keys]
    wells = [_well(machine, rows).tolist() for machine in range(machines)]
    body = (
        b'{"client_id":"bench","machine_id":"%s","time":%d,"casing_pressure":%.1f,"tubing_pressure":%.1f,'
        b'"line_pressure":%.1f,"flow_rate":%.1f}'
    )
    for row in range(rows):
        for key, home, well in zip(keys, homes, wells, strict=True):
            yield home, key, body % (key, _START_S + 60 * row, *well[row])


def _explored(what: str, arguments: Sequence[str], directory: Path, more: dict[str, str]) -> Figures:
    command = [
        sys.executable,
        "-m",
        "streams.cli.main",
        "explore",
        *arguments,
        "--output",
        str(directory / "page.html"),
    ]
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, env=os.environ | more, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took_s, after = time.monotonic() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        f"from_{what}_s": figure(round(took_s, 1), "s", processor_s=round(processor_s, 1)),
        f"page_of_{what}_mb": figure(round((directory / "page.html").stat().st_size / 1e6, 1), "MB"),
        # The largest child so far: no more than that.
        f"memory_at_{what}_mb": figure(round(after.ru_maxrss / 1024), "MB"),
    }


if __name__ == "__main__":
    main()
