"""Who is measured, and how each is started: the worker, two bare loops, and two other frameworks."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.processes import end_with_parent

#: ``make bench`` puts Quix Streams there: its own dependencies do not go together with ours.
PEERS_PYTHON: Final = Path(".venv-peers/bin/python")
PARTITIONS: Final = 8

Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Contender:
    """One at the same work. ``share`` of the readings keeps a slow one's run as long as the others'."""

    key: str  # of its figures
    name: str
    start: Callable[[str, str, int], Process]  # broker, topic prefix, readings
    share: float = 1.0


def worker_environment(url: str, prefix: str) -> dict[str, str]:
    """Settings of a worker that meets models already there and asks for no others."""
    return {
        **os.environ,
        "WELLSENTRY_BROKER__URL": url,
        "WELLSENTRY_BROKER__TOPIC_PREFIX": prefix,
        "WELLSENTRY_BROKER__PARTITIONS": str(PARTITIONS),
        "WELLSENTRY_WORKER__APP_ID": f"{prefix}-worker",
        "WELLSENTRY_WORKER__TRAINING_REQUESTS": "false",
        "WELLSENTRY_LOG__LEVEL": "warning",
    }


def start_worker(url: str, prefix: str, count: int) -> Process:  # noqa: ARG001
    """The worker as it is shipped."""
    return subprocess.Popen(
        [sys.executable, "-m", "streams.cli.main", "worker"],
        env=worker_environment(url, prefix),
        preexec_fn=end_with_parent,
    )


def _module(name: str, python: Path | str = sys.executable) -> Callable[[str, str, int], Process]:
    def start(url: str, prefix: str, count: int) -> Process:
        arguments = [str(python), "-m", name, url, prefix, str(count)]
        errors = subprocess.DEVNULL if "quix" in name else None
        return subprocess.Popen(arguments, stderr=errors, preexec_fn=end_with_parent)

    return start


WORKER: Final = Contender("worker", "wellsentry worker", start_worker)
OTHERS: Final = (
    Contender("bare_loop", "aiokafka, our engine, no state kept", _module("bench.bare_loop")),
    Contender("plain_loop", "aiokafka, plain Python, no state kept", _module("bench.peers.plain_loop")),
    Contender("quix", "Quix Streams with its state store", _module("bench.peers.quix_app", PEERS_PYTHON), 0.2),
    Contender("faust", "Faust as its documentation shows it", _module("bench.peers.faust_app"), 0.05),
)
