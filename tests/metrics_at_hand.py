"""What a program tells about itself, for tests."""

import json
import re
from typing import Any, NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.processes import Process, wait_until


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
