"""A walk through the dashboard of a running demo, as docs/dashboard.md leads it, in a real browser."""

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.processes import wait_until

_DEMO = ["demo", "--plain", "--wells", "12", "--factor", "2400", "--seconds", "150"]


@contextmanager
def running_demo(directory: Path) -> Iterator[str]:
    """A demo's dashboard while the block runs."""
    told = directory / "demo.txt"
    with told.open("wb") as output, tempfile.TemporaryDirectory() as temporary:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", *_DEMO],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": temporary},
        )
        try:
            found = wait_until(lambda: re.search(r"(http://127\.0\.0\.1:\d+)/", told.read_text()), what="a dashboard")
            yield found[1]
        finally:
            process.terminate()
            assert process.wait(60) == 0, told.read_text()[-2000:]


def colours(page: Page) -> int:
    """How many different colours a screenshot has: a page on which nothing was drawn has a few."""
    pixels = matplotlib.image.imread(io.BytesIO(page.screenshot()))[:, :, :3]
    return len(np.unique((pixels * 255).astype(np.uint8).reshape(-1, 3), axis=0))


@pytest.mark.timeout(200)
def test_by_its_page_in_the_docs_one_finds_a_well_sees_why_answers_and_sees_the_effect(
    page: Page, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    with running_demo(tmp_path) as url:
        page.goto(f"{url}/incidents?state=")
        first = page.locator('.ag-center-cols-container .ag-row [col-id="state"]').first
        expect(first).to_be_visible(timeout=90_000)
        first.click()
        chosen = page.locator("#incident")
        expect(chosen.locator("h2")).to_contain_text("well-")
        assert colours(page) > 30
        chosen.get_by_role("button", name="False alarm").click()
        expect(chosen).to_contain_text("somebody called it a false alarm")

        well = chosen.locator("h2 a").inner_text()
        chosen.locator("h2 a").click()
        expect(page.get_by_role("heading", name=well)).to_be_visible()
        expect(page.locator("canvas").first).to_be_visible()
        expect(page.locator("#main")).to_contain_text("false alarm")
        wait_until(lambda: colours(page) > 30, what="a chart that is drawn")

        page.get_by_role("link", name="Fleet").click()
        expect(page.locator("#fleet-shown")).to_have_text("12 shown")
        expect(page.locator('.ag-center-cols-container [col-id="spark"] rect').first).to_be_visible()
        assert colours(page) > 30
        page.locator('.ws-count[data-state="urgent"]').click()
        expect(page.locator(f'.ag-pinned-left-cols-container [col-id="machine"]:text-is("{well}")')).to_have_count(0)

        page.get_by_role("link", name="Health").click()
        expect(page.locator("#health")).to_contain_text("Programs")
        expect(page.locator("dt:text-is('samples') + dd")).not_to_have_text("0", timeout=20_000)
        assert colours(page) > 30
