"""What a restart of a worker takes when all its machines have a full history, and what memory it needs.

    python -m bench.restart [--machines 5000] [--readings-each 1100] [--rounds 3] [--json FILE]

A worker judges all readings and ends. Then a new one starts, with nothing but the changelog; measured from the start of its
process until its first new label is in Kafka, and until each machine has one. What it waits for the group to let it in is
told by itself and taken off. The log of each worker tells when it had come how far.
"""

import argparse
import contextlib
import itertools
import json
import statistics
import time
import uuid
from pathlib import Path
from typing import Final

from bench.contenders import PARTITIONS
from bench.fleet import create_topics, models, readings, send_all
from bench.workers import Ends, worker
from streams.parts.kafka_jars import KafkaJars

#: What a worker's log says on its way to the first label.
_STEPS: Final = {
    "start": "its modules are imported",
    "joining": "topics are there, producer and consumer started: asks to join the group",
    "assigned": "has joined: begins to read state",
    "loaded": "compiled steps are loaded, at the same time",
    "recovered": "state is read",
    "ready": "readings flow",
}


def main() -> None:
    """Fill, restart a few times, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--readings-each", type=int, default=1_100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    machines, each = options.machines, options.readings_each
    first: list[float] = []
    beyond_join: list[float] = []
    whole: list[float] = []
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(KafkaJars()).url
        prefix = f"bench-{uuid.uuid4().hex[:8]}"
        create_topics(url, prefix, PARTITIONS)
        send_all(url, f"{prefix}.models", models(machines, PARTITIONS))
        labels, changelog = Ends(url, f"{prefix}.labels"), Ends(url, f"{prefix}.worker-state-changelog")
        come = readings((each + options.rounds) * machines, machines, PARTITIONS)
        total = 0
        with worker(url, prefix) as one:
            for _ in range(each):
                total += send_all(url, f"{prefix}.readings", itertools.islice(come, machines))
                labels.wait(total - 20 * machines, 120.0)
            labels.wait(total, 120.0)
            memory = [one.memory_mb]
        print(f"{total:,} labels; memory {memory[0]:.0f} MB", flush=True)
        for _ in range(options.rounds):
            total += send_all(url, f"{prefix}.readings", itertools.islice(come, machines))
            before = labels.of_partitions()
            with worker(url, prefix, log__level="info") as one:
                came = labels.wait_for_record(before, 300.0)
                first.append(came - one.started_s)
                whole.append(labels.wait(sum(before.values()) + machines, 300.0) - one.started_s)
                time.sleep(1.0)
                memory.append(one.memory_mb)
                happened = one.happened()
            beyond_join.append(first[-1] - happened["assigned"] + happened["joining"])
            print("".join(f"  {happened[action]:6.2f} s  {what}\n" for action, what in _STEPS.items()), end="")
            print(f"  {first[-1]:6.2f} s  first label, {beyond_join[-1]:.2f} s beyond the group's join")
            print(f"  {whole[-1]:6.2f} s  a label of each machine; memory {memory[-1]:.0f} MB", flush=True)
        figures = {
            "machines": machines,
            "readings_each": each,
            "first_label_s": statistics.median(first),
            "first_label_beyond_join_s": statistics.median(beyond_join),
            "label_of_each_machine_s": statistics.median(whole),
            "memory_mb": max(memory),
            "changelog_records": changelog.count(),
        }
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
