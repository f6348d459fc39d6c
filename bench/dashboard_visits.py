"""Whether the dashboard grows while browsers come and go.

    python -m bench.dashboard_visits [--visits 300] [--rounds 3] [--json FILE]

Each round browsers fetch the page, open its socket, and are gone; then 75 seconds pass, for NiceGUI keeps the page of one
that does not come back for 60. The first round makes room for pages: it is the rounds after it that must not grow.
"""

import argparse
import asyncio
import tempfile
import uuid
from pathlib import Path
from typing import Final

import httpx
import websockets

from bench.dashboard import bench_settings, running_dashboard
from bench.figures import Figures, figure, hand_on, taken_on
from bench.processes import memory_mb
from streams.parts.kafka_jars import KafkaJars
from streams.topics_admin import create_topics

_FORGOTTEN_AFTER_S: Final = 75.0


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    chosen = parser.parse_args()
    print("\n".join(taken_on()), flush=True)
    with KafkaJars() as kafka, tempfile.TemporaryDirectory() as directory:
        settings = bench_settings(kafka.url, f"bench-{uuid.uuid4().hex[:8]}")
        create_topics(settings)
        with running_dashboard(settings, Path(directory)) as (pid, url):
            seen = asyncio.run(_rounds(url, pid, chosen.visits, chosen.rounds))
    found: Figures = {f"memory_after_round_{number}_mb": figure(mb, "MB") for number, mb in enumerate(seen)}
    found["growth_after_the_first_mb"] = figure(round(seen[-1] - seen[1], 1), "MB")
    hand_on(found, chosen.json)


async def _rounds(url: str, pid: int, visits: int, rounds: int) -> list[float]:
    """Memory before the first round and after each, MB."""
    seen = [round(memory_mb(pid), 1)]
    for _ in range(rounds):
        await _come_and_go(url, visits)
        await asyncio.sleep(_FORGOTTEN_AFTER_S)
        seen.append(round(memory_mb(pid), 1))
    return seen


async def _come_and_go(url: str, count: int) -> None:
    """Browsers that fetch the page, open its socket, and are gone."""
    async with httpx.AsyncClient() as client:
        for _ in range(count):
            (await client.get(f"{url}/")).raise_for_status()
            async with websockets.connect(f"ws{url.removeprefix('http')}/live/fleet", max_size=None) as live:
                await live.recv()


if __name__ == "__main__":
    main()
