"""The page on health, in a real browser, beside a real worker."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.conftest import MakeSettings
from tests.dashboard_at_hand import dashboard
from tests.processes import running, wait_until
from tests.topics_at_hand import AtHand


def test_health_tells_who_is_at_work_and_what_was_rejected(
    page: Page, kafka_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(kafka_url)
    topics = at(settings)
    topics.send(settings.topics.readings.name, [(b"well-1", b'{"machine_id": "well-1", "ti\xff')])
    topics.feed(
        {"machine_id": "well-1", "time": 1_795_488_250 + n, "casing_pressure": 400, "tubing_pressure": 200}
        for n in range(9)
    )
    labels = topics.reader(settings.topics.labels.name)
    with running("worker", settings, tmp_path) as worker, dashboard(settings, tmp_path) as (url, _):
        wait_until(lambda: len(labels.more()) == 9, what="labels", process=worker)
        page.goto(f"{url}/health")
        row = page.locator("tr", has=page.locator('td:text-is("worker")')).locator("td")
        expect(row.nth(1)).to_have_text("1", timeout=15_000)
        expect(row.nth(2)).to_have_text(str(settings.broker.partitions))
        expect(page.locator("#health")).to_contain_text("not json")
        expect(page.locator("#health")).to_contain_text(r'{"machine_id": "well-1", "ti\xff')
        expect(page.get_by_role("alert")).to_contain_text("No sink is at work.")
        expect(page.locator("dt:text-is('reading to label, half of them') + dd")).to_have_text(
            re.compile(r"^\d+ ms$"), timeout=20_000
        )
