"""Alert rules, dashboard and runbook are about what the programs serve."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
import yaml

from streams.metrics.group import observed_app
from tests.conftest import MakeSettings
from tests.metrics_at_hand import OPS, alerts, asked, names_used, panels, queries, scrape
from tests.promtool import promtool
from tools import metrics_table
from tools.metrics_table import app_of

ROOT = Path(__file__).parent.parent
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
ALERTS = alerts()


@pytest.fixture
async def served() -> dict[str, str]:
    """By the name of a metric what is said about it: of all programs, none of them started."""
    return {name: about for one in (await metrics_table.served()).values() for name, about in one.items()}


@pytest.mark.parametrize("component", metrics_table.APPS)
async def test_a_program_that_has_no_partitions_yet_is_alive_and_not_ready(
    component: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(dynamodb_url="http://127.0.0.1:9", metrics={"port": 0})
    async with observed_app(app_of(component, settings), settings, component) as url:
        assert url is not None
        assert await asyncio.to_thread(asked, url, "/health") == (200, {"alive": True})
        said = await asyncio.to_thread(asked, url, "/ready")
        assert said == (503, {"ready": False, "lacks": ["no broker answers"]})
        found = await asyncio.to_thread(scrape, url)
        assert found.total("wellsentry_ready") == 0
        assert found.total("wellsentry_build_info", component=component) == 1
        assert found.total("process_resident_memory_bytes") > 0
        assert (await asyncio.to_thread(httpx.get, f"{url}/else")).status_code == 404


def test_prometheus_takes_configuration_and_rules_and_each_alert_fires_where_it_should() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "config", "prometheus.yml", cwd=OPS / "prometheus")
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml", cwd=OPS / "prometheus")


def test_each_alert_is_shown_firing_and_shown_silent() -> None:
    tests = yaml.safe_load((OPS / "prometheus/alerts_test.yml").read_text())["tests"]
    checks = [check for test in tests for check in test["alert_rule_test"]]
    named = {alert["alert"] for alert in ALERTS}
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == named
    assert {check["alertname"] for check in checks if not check["exp_alerts"]} == named


def test_each_alert_has_its_entry_in_the_runbook() -> None:
    named = [alert["alert"] for alert in ALERTS]
    assert re.findall(r"(?m)^### (Wellsentry\w+)$", RUNBOOK) == named
    assert [alert["annotations"]["runbook_url"] for alert in ALERTS] == [
        f"docs/runbook.md#{one.lower()}" for one in named
    ]
    for entry in re.split(r"(?m)^### Wellsentry", RUNBOOK)[1:]:
        assert all(f"**{part}**" in entry for part in ("Means", "Look", "Do")), entry[:60]


async def test_rules_and_dashboard_ask_for_what_is_served_and_show_all_of_it(served: dict[str, str]) -> None:
    used = {re.sub(r"_(bucket|count|sum)$", "", name) for query in queries() for name in names_used(query)}
    assert used <= served.keys(), "asked for, and nobody serves it"
    ours = {name for name in served if name.startswith("wellsentry_")}
    assert ours - used == {"wellsentry_build_info"}, "served, and nobody looks at it"


async def test_the_runbook_s_table_is_what_is_served() -> None:
    assert metrics_table.written(RUNBOOK, await metrics_table.served()) == RUNBOOK, "run python -m tools.metrics_table"


async def test_names_follow_prometheus_conventions(served: dict[str, str]) -> None:
    assert all(about.endswith(".") for name, about in served.items() if name.startswith("wellsentry_"))
    text = "\n".join(f"# HELP {name} {about}" for name, about in served.items())
    assert not re.findall(r"wellsentry_\w*_(?:ms|minutes|kb|mb|milliseconds)\b", text)


def test_panels_of_the_dashboard_do_not_overlap_and_bear_titles() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert panel["title"]
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
