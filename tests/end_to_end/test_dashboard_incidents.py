"""The page of incidents, in a real browser."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.conftest import MakeSettings
from tests.dashboard_at_hand import dashboard, incident, records
from tests.topics_at_hand import AtHand


def test_incidents_are_listed_answered_and_explain_themselves_while_they_close(
    page: Page, any_broker_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(any_broker_url)
    topics = at(settings)
    name = settings.topics.incidents.name
    closed = incident("well-2", 3, state="closed", closed_at="2026-11-24T03:00:00Z", readings=40)
    topics.send(name, records([incident("well-1", 9), incident("well-2", 3), closed]))
    with dashboard(settings, tmp_path) as (url, _):
        page.goto(f"{url}/incidents")
        expect(page.locator("#incidents-shown")).to_have_text("1 shown")
        page.locator('[row-id="inc-load-0-9-0"] [col-id="state"]').click()
        chosen = page.locator("#incident")
        expect(chosen).to_contain_text("140.0 to 165.0")
        expect(chosen).to_contain_text("wellsentry reproduce load-0-9-0")
        chosen.get_by_role("button", name="I look after it").click()
        expect(chosen).to_contain_text("somebody looks after it")
        chosen.get_by_label("Comment").fill("pump tripped")
        chosen.get_by_role("button", name="False alarm").click()
        expect(chosen).to_contain_text("somebody called it a false alarm: pump tripped")
        expect(page.locator('[row-id="inc-load-0-9-0"] [col-id="answer"]')).to_have_text("false alarm")
        chosen.locator("li", has_text="false alarm").get_by_role("button", name="Undo").click()
        expect(page.locator('[row-id="inc-load-0-9-0"] [col-id="answer"]')).to_have_text("seen by somebody")
        expect(chosen).to_contain_text("taken back")
        page.get_by_label("Show").select_option("")
        expect(page.locator("#incidents-shown")).to_have_text("2 shown")
        topics.send(name, records([incident("well-1", 9, state="closed", closed_at="2026-11-24T04:00:00Z")]))
        expect(chosen).to_contain_text("closed 2026-11-24 04:00")
        page.goto(page.url)  # whoever opens the link sees the same
        expect(page.locator("#incidents-shown")).to_have_text("2 shown")
        expect(chosen).to_contain_text("well-1")
