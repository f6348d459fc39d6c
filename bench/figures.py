"""Figures as the benches hand them on, and what they were taken on."""

import json
import os
import platform
import re
import statistics
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from streams.build_info import build_info
from streams.parts.maven import jars

#: By name: ``{"value": number, "unit": "ms", ...}``; what else it holds is for the reader.
Figures = dict[str, dict[str, Any]]

_LIBRARIES = ("faust-streaming", "aiokafka", "numpy", "numba", "msgspec")


def figure(value: float, unit: str, **further: Any) -> dict[str, Any]:
    """One figure."""
    return {"value": value, "unit": unit, **further}


def median_of(rounds: Sequence[float], unit: str, **further: Any) -> dict[str, Any]:
    """The median of some rounds, with the rounds."""
    return figure(round(statistics.median(rounds), 4), unit, rounds=[round(one, 4) for one in rounds], **further)


def show(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Print figures, a line each."""
    for name, one in found.items():
        rounds = f"  ({', '.join(f'{x:,.4g}' for x in one['rounds'])})" if "rounds" in one else ""
        print(f"  {name:44} {one['value']:14,.4g} {one['unit']}{rounds}", flush=True)


def hand_on(found: Figures, path: Path | None) -> None:
    """Print figures, and write them to ``path`` for :mod:`bench.table`."""
    show(found)
    if path is not None:
        path.write_text(json.dumps(found, indent=1) + "\n")


def taken_on() -> list[str]:
    """Machine, versions and commit, a line each."""
    build = build_info()
    changed = {True: "", False: ", changed since", None: ""}[build.tree_clean]
    kafka = sorted(path.name for path in jars("kafka").glob("kafka-clients-*.jar"))
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    system = f"{platform.system()} {platform.release()}"
    version = re.sub(r"[^0-9.]", "", kafka[-1]).strip(".") if kafka else "unknown"
    return [
        f"machine: {os.cpu_count()} cores ({_processor()}), {_memory_gib():.0f} GiB, {system}",
        f"Python {platform.python_version()}, Apache Kafka {version}, {libraries}",
        f"wellsentry {build.version}, commit {build.git_commit[:12]}{changed}",
    ]


def _processor() -> str:
    found = re.search(r"(?m)^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
