"""What a program tells about itself, for tests."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.processes import Process, wait_until

#: Configuration of Prometheus and Grafana.
OPS = Path(__file__).parent.parent / "ops"


class Scrape(NamedTuple):
    """One answer of /metrics."""

    samples: dict[str, dict[tuple[tuple[str, str], ...], float]]  # by name, then by labels

    def total(self, name: str, **labels: str) -> float:
        """The sum of a name's samples that have these labels; there must be one."""
        found = [value for key, value in self.samples[name].items() if labels.items() <= dict(key).items()]
        assert found, f"{name} has none with {labels}: {self.samples[name]}"
        return sum(found)


def scrape(url: str) -> Scrape:
    """What Prometheus would be told now."""
    answer = httpx.get(f"{url}/metrics", timeout=20.0)
    assert answer.status_code == 200, answer.text
    samples: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for one in family.samples:
            samples.setdefault(one.name, {})[tuple(sorted(one.labels.items()))] = one.value
    return Scrape(samples)


def asked(url: str, path: str) -> tuple[int, dict[str, Any]]:
    """Status and body of /health or /ready."""
    answer = httpx.get(f"{url}{path}", timeout=20.0)
    return answer.status_code, answer.json()


def address(process: Process) -> str:
    """Where a program serves what it tells."""

    def told() -> str | None:
        found = re.search(r'\{.*"action": "metrics_served".*\}', process.log.read_text(errors="replace"))
        return str(json.loads(found.group())["url"]) if found else None

    return str(wait_until(told, what="address of metrics", process=process))


def wait_ready(url: str, process: Process) -> None:
    """Return when the program says that it is ready."""
    wait_until(lambda: asked(url, "/ready")[0] == 200, what=f"{url}/ready", process=process)


def names_used(query: str) -> set[str]:
    """The metrics that a query of Prometheus' language asks for."""
    return set(re.findall(r"\b(?:wellsentry|process)_\w+", query))


def queries() -> Iterator[str]:
    """All that alert rules and dashboard ask Prometheus for."""
    for alert in alerts():
        yield alert["expr"]
    for panel in panels():
        yield from (target["expr"] for target in panel["targets"])


def alerts() -> list[dict[str, Any]]:
    """The alert rules, in their order."""
    groups = yaml.safe_load((OPS / "prometheus/alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """What the Grafana dashboard shows."""
    board = json.loads((OPS / "grafana/dashboards/wellsentry.json").read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]
