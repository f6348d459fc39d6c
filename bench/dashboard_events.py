"""What readers of server-sent events cost the dashboard, and how late they are.

    python -m bench.dashboard_events [--machines 5000] [--rate 5000] [--whole 2] [--narrow 18] [--seconds 15]

``--whole`` readers take all labels, ``--narrow`` ones those of one machine each. Measured twice: as it is, where readers
share the newest labels in memory, and as if each had a consumer of its own all the time. Feeder, Kafka and readers share
this machine.
"""

import argparse
import asyncio
import re
import tempfile
import uuid
from pathlib import Path
from time import time
from typing import Final

import httpx
import numpy as np

from bench.dashboard import bench_settings, running_dashboard, running_feeder
from bench.figures import Figures, figure, hand_on, taken_on
from bench.label_feed import age_ms
from bench.processes import CpuShares, memory_mb
from streams.parts.kafka_jars import KafkaJars
from streams.topics_admin import create_topics

_SETTLES_S: Final = 5.0
_VALUE: Final = re.compile(rb'"value":([0-9.]+),"median"')
_SHARED: Final = ("-m", "streams.cli.main")
_EACH_ITS_OWN: Final = (
    "-c",
    "from streams.dashboard.events.tail import Tail\nTail.holds = lambda *_: False\n"
    "from streams.cli.main import main\nmain()",
)


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--whole", type=int, default=2)
    parser.add_argument("--narrow", type=int, default=18)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    chosen = parser.parse_args()
    print("\n".join(taken_on()), flush=True)
    found: Figures = {}
    with KafkaJars() as kafka, tempfile.TemporaryDirectory() as directory:
        for name, program in (("shared", _SHARED), ("each_its_own", _EACH_ITS_OWN)):
            prefix = f"bench-{uuid.uuid4().hex[:8]}"
            settings = bench_settings(kafka.url, prefix)
            settings = settings.model_copy(
                update={"dashboard": settings.dashboard.model_copy(update={"streams_of_a_viewer": 100})}
            )
            create_topics(settings)
            with (
                running_feeder(kafka.url, prefix, chosen) as feeder,
                running_dashboard(settings, Path(directory), program) as (pid, url),
            ):
                measured = asyncio.run(_measure(chosen, pid, feeder, url))
            found |= {f"{name}_{what}": one for what, one in measured.items()}
    hand_on(found, chosen.json)


async def _measure(chosen: argparse.Namespace, pid: int, feeder: int, url: str) -> Figures:
    await asyncio.sleep(_SETTLES_S)
    before = await _share(chosen, pid, feeder)
    ages: list[float] = []
    queries: list[dict[str, str]] = [{}] * chosen.whole + [
        {"machine": f"well-{number:05d}"} for number in range(chosen.narrow)
    ]
    readers = [asyncio.create_task(_read(url, query, ages)) for query in queries]
    await asyncio.sleep(_SETTLES_S)
    ages.clear()
    after = await _share(chosen, pid, feeder)
    found = {
        "alone_cores": figure(before, "cores"),
        "with_readers_cores": figure(after, "cores", readers=len(readers)),
        "seen_p50_ms": figure(float(np.percentile(ages, 50)), "ms", events=len(ages)),
        "seen_p95_ms": figure(float(np.percentile(ages, 95)), "ms"),
        "memory_mb": figure(round(memory_mb(pid), 1), "MB"),
    }
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return found


async def _share(chosen: argparse.Namespace, pid: int, feeder: int) -> float:
    shares = CpuShares({"dashboard": pid, "feeder": feeder})
    await asyncio.sleep(chosen.seconds)
    return shares.shares()["dashboard"]


async def _read(url: str, query: dict[str, str], ages: list[float]) -> None:
    """Take all that comes; how old it is, of one label of each piece."""
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("GET", f"{url}/api/v1/events/labels", params=query) as response,
    ):
        response.raise_for_status()
        async for piece in response.aiter_raw():
            now_ms = round(time() * 1000)
            ages += [age_ms(float(value[1]), now_ms) for value in [_VALUE.search(piece)] if value]


if __name__ == "__main__":
    main()
