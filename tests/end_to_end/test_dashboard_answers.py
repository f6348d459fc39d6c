"""Answers from the page of incidents, in a real browser."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.conftest import MakeSettings
from tests.dashboard_at_hand import dashboard, incident, records
from tests.topics_at_hand import AtHand


def test_an_answer_pressed_on_the_page_is_shown_and_taken_back(
    page: Page, embedded_broker_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(embedded_broker_url)
    at(settings).send(settings.topics.incidents.name, records([incident("well-1", 9)]))
    with dashboard(settings, tmp_path) as (url, _):
        page.goto(f"{url}/incidents")
        page.locator('[row-id="inc-load-0-9-0"] [col-id="state"]').click()
        page.get_by_role("textbox", name="Comment").fill("a plunger was pulled")
        page.get_by_role("button", name="False alarm").click()
        said = page.locator(".ws-said li")
        expect(said).to_contain_text("somebody called it a false alarm: a plunger was pulled")
        said.get_by_role("button", name="Undo").click()
        expect(said.first).to_contain_text("taken back")
