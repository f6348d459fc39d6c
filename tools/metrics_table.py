"""Writes what the programs tell Prometheus into docs/runbook.md:   python -m tools.metrics_table"""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from streams.dashboard.following import Following
from streams.dashboard.health.rejections import Rejections
from streams.dashboard.measures import observation as dashboard_observation
from streams.dashboard.picture import Picture
from streams.label_store import LabelStore
from streams.metrics.group import observed_app
from streams.metrics.observing import observed
from streams.notifier.counts import Counts
from streams.notifier.measures import observation as notifier_observation
from streams.registry import Registry
from streams.runs.app import RunApp
from streams.settings import Settings, load_settings
from streams.sink import sink_app
from streams.trainer.app import trainer_app
from streams.worker.pipeline import worker_app

DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "runbook.md"
APPS: Final = ("worker", "trainer", "sink")
COMPONENTS: Final = (*APPS, "dashboard", "notifier")
_BEGIN, _END = "<!-- metrics -->", "<!-- end metrics -->"


def app_of(component: str, settings: Settings) -> RunApp:
    """A program's app, not started."""
    if component == "worker":
        return worker_app(settings)
    if component == "sink":
        return sink_app(settings, LabelStore(settings.dynamodb))
    return trainer_app(settings, Registry(settings.registry))


async def served() -> dict[str, dict[str, str]]:
    """By program, then by the name of each metric: what is said about it. None of them is started."""
    settings = load_settings(metrics={"port": 0}, dynamodb={"endpoint": "http://127.0.0.1:9"})
    found: dict[str, dict[str, str]] = {}
    for component in APPS:
        async with observed_app(app_of(component, settings), settings, component) as url:
            found[component] = await _told(url)
    picture = Picture()
    for seen in (
        dashboard_observation(picture, Following(settings, picture, Rejections())),
        notifier_observation({"name": Counts()}, list),
    ):
        async with observed(settings.metrics, seen) as url:
            found[seen.component] = await _told(url)
    return found


async def _told(url: str | None) -> dict[str, str]:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{url}/metrics", timeout=30.0)).text
    return dict(re.findall(r"(?m)^# HELP (\w+) (.*)$", text))


def written(text: str, found: Mapping[str, Mapping[str, str]]) -> str:
    """``text`` of the page with the table as it must be."""
    lines = ["| metric | of | what |", "|---|---|---|"]
    told = {name: about for one in found.values() for name, about in one.items() if name.startswith("wellsentry_")}
    for name, about in told.items():
        owners = [component for component in COMPONENTS if name in found[component]]
        lines.append(f"| `{name}` | {'all' if len(owners) == len(COMPONENTS) else ', '.join(owners)} | {about} |")
    table = "\n".join([_BEGIN, *lines, _END])
    return re.sub(f"{_BEGIN}.*{_END}", lambda _: table, text, flags=re.DOTALL)


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(), asyncio.run(served())))
