"""The fleet's page, in a real browser."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.conftest import MakeSettings
from tests.dashboard_at_hand import dashboard, incident, label, records
from tests.topics_at_hand import AtHand


def test_the_fleet_shows_each_machine_and_changes_while_one_looks(
    page: Page, any_broker_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(any_broker_url)
    topics = at(settings)
    labels, incidents = settings.topics.labels.name, settings.topics.incidents.name
    topics.send(labels, records([label(f"well-{number}", number) for number in range(3)]))
    with dashboard(settings, tmp_path) as (url, _):
        page.goto(f"{url}/")
        row = page.locator('[row-id$="well-1\x1fload"]')
        expect(row.locator('[col-id="state"]')).to_have_text("● normal")
        expect(page.locator('.ws-count[data-state="normal"] b')).to_have_text("3")
        bad = label(
            "well-1", 9, value=231.0, surprise=5.2, label="anomalous", alert="opened", incident_id="inc-load-0-9-0"
        )
        topics.send(labels, records([bad]))
        topics.send(incidents, records([incident("well-1", 9)]))
        expect(row.locator('[col-id="state"]')).to_have_text("▲ incident")
        expect(row.locator('[col-id="value"]')).to_have_text("231.0")
        page.locator('.ws-count[data-state="incident"]').click()
        expect(page.locator("#fleet-shown")).to_have_text("1 shown")
        assert "state=incident" in page.url
