"""A machine's page, in a real browser: labels out of a table and off a topic, and all that one can do with them."""

import io
import math
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

from schemas.labels import Label
from streams.label_store import LabelStore
from streams.partitions import partition_of
from streams.registry import Registry
from tests.conftest import MakeSettings
from tests.dashboard_at_hand import START_MS, dashboard, incident, label, records
from tests.streams.trainer_parts import entry, request
from tests.topics_at_hand import AtHand

#: A label every ten minutes for three weeks, and the newest ones still on the topic alone.
STEP = 10
STORED = 21 * 24 * 60 // STEP
PEAK = STORED // 3
CANVAS = "#machine-chart canvas"
CHART = "getElement(Number(document.querySelector('.ws-echart').id.slice(1))).chart"
DRAWN = f"{CHART}.getOption().dataset[0].source"


def made(number: int, **more: Any) -> Label:
    wave = 150 + 8 * math.sin(number / 90)
    usual = {"value": wave, "median": wave, "surprise": 0.3 + 0.2 * math.sin(number / 7)}
    return label("well-1", number * STEP, **{**usual, **more})


def peak(number: int) -> Label:
    return made(
        number, value=231.0, median=231.0, surprise=5.7, label="anomalous", views={"level": 5.7, "spread": 1.5},
        because="level is far from what is usual",
    )  # fmt: skip


def drawn(page: Page) -> list[list[float]]:
    """Rows of numbers that ECharts draws, without those that make gaps."""
    rows: list[list[float]] = page.evaluate(DRAWN)
    return [row for row in rows if len(row) > 1]


def colours(page: Page) -> int:
    """How many colours the chart has: one that is empty has the ground and little else."""
    image = Image.open(io.BytesIO(page.locator(CANVAS).first.screenshot()))
    return len(image.convert("RGB").getcolors(1_000_000) or [])


def test_a_machine_shows_its_past_changes_live_and_explains_itself(
    page: Page, any_broker_url: str, embedded_aws_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(any_broker_url, embedded_aws_url)
    topics, topic = at(settings), settings.topics.labels.name
    model = entry(request("well-1"))
    Registry(settings.registry).store(model)
    digest = model.update.digest
    with LabelStore(settings.dynamodb, now_s=lambda: START_MS / 1000) as store:
        store.ensure_table()
        store.write(peak(n) if n == PEAK else made(n) for n in range(STORED))
    partition = partition_of("well-1", settings.broker.partitions)
    newest = [made(n, model_digest=digest, source_partition=partition) for n in range(STORED, STORED + 30)]
    topics.send(topic, records(newest))
    topics.send(settings.topics.incidents.name, records([incident("well-1", (STORED + 5) * STEP)]))
    with dashboard(settings, tmp_path) as (url, _):
        assert page.goto(f"{url}/machine/acme/nobody").status == 404  # type: ignore[union-attr]
        page.goto(f"{url}/machine/acme/well-1?stack=load")
        expect(page.locator("#machine-head h1")).to_have_text("well-1 · acme · load")
        expect(page.locator("#machine-model")).to_contain_text(digest)
        expect(page.locator("#machine-incidents")).to_contain_text("▲ open")
        page.wait_for_function("wellsentryChart.rows.length > 30")
        assert page.locator("[data-range=live]").get_attribute("aria-pressed") == "true"

        # a label comes, and is drawn
        late = peak(STORED + 30).model_copy(
            update={"source_partition": partition, "label_id": f"load-{partition}-{(STORED + 30) * STEP}-0"}
        )
        topics.send(topic, records([late]))
        page.wait_for_function(f"{DRAWN}.at(-1)[1] === 231")
        assert colours(page) > 40

        # by keyboard: the last label, and why
        page.locator("#machine-chart").focus()
        page.keyboard.press("End")
        expect(page.locator("#machine-said")).to_contain_text("◆ anomalous")
        page.keyboard.press("Enter")
        chosen = page.locator("#machine-label")
        expect(chosen).to_contain_text(f"wellsentry reproduce {late.label_id}")
        expect(chosen).to_contain_text("Because level is far from what is usual")
        expect(chosen).to_contain_text("the labels topic")

        # a peak of one label is seen among those of a month, and is asked about by a click
        page.get_by_role("button", name="30 d").click()
        page.wait_for_function("wellsentryChart.outer[1] - wellsentryChart.outer[0] > 29 * 86400000")
        rows = drawn(page)
        assert len(rows) < STORED
        assert [row[0] for row in rows if row[1] == 231.0] == [
            START_MS + PEAK * STEP * 60_000,
            START_MS + (STORED + 30) * STEP * 60_000,
        ]
        x, y = page.evaluate(
            f"time => {{ const box = document.querySelector('{CANVAS}').getBoundingClientRect();"
            f" return [box.x + {CHART}.convertToPixel({{ xAxisIndex: 0 }}, time), box.y + box.height / 2]; }}",
            START_MS + PEAK * STEP * 60_000,
        )
        page.mouse.click(x, y)
        expect(chosen).to_contain_text("DynamoDB")
        assert colours(page) > 40

        # zoomed in, all labels are there; and whoever opens the address sees the same
        for _ in range(5):
            page.get_by_role("button", name="Zoom in").click()
        page.wait_for_function("wellsentryChart.window()[1] - wellsentryChart.window()[0] < 86400000")
        page.wait_for_function("wellsentryChart.between(wellsentryChart.rows, ...wellsentryChart.window()).length > 40")
        page.wait_for_function("location.search.includes('range=30d') && location.search.includes('from=')")
        seen, asked = page.evaluate("wellsentryChart.window()"), chosen.locator("h2").inner_text()
        page.goto(page.url)
        expect(chosen.locator("h2")).to_have_text(asked)
        page.wait_for_function("wellsentryChart.outer[1] - wellsentryChart.outer[0] > 29 * 86400000")
        page.wait_for_function("wellsentryChart.window()[1] - wellsentryChart.window()[0] < 86400000")
        again = page.evaluate("wellsentryChart.window()")
        assert abs(again[0] - seen[0]) < 60_000
        assert abs(again[1] - seen[1]) < 60_000
