"""How late labels are seen in a browser, and what the dashboard takes for it.

    python -m bench.dashboard [--machines 5000] [--rate 5000] [--browsers 2] [--open 20] [--seconds 20]

Apache Kafka, a feeder of labels (`bench/label_feed.py`), the dashboard and Chromium share this machine. ``--open``
browsers have the fleet open: ``--browsers`` of them are real ones, the others take and read what a browser is sent, without
drawing it, since twenty browsers that draw need more than two cores whatever serves them. A label's value is the moment it
was sent at, so what a cell shows tells how late it is: noted whenever a cell in view changes. One that never
reads what it is sent is there all the time. What browsers leave behind that come and go: `bench/dashboard_visits.py`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import websockets
from playwright.async_api import Browser, Page, async_playwright

from bench.figures import Figures, figure, hand_on, median_of, taken_on
from bench.label_feed import age_ms
from bench.processes import CpuShares, end_with_parent, memory_mb
from streams.demo.children import settings_variables
from streams.parts.kafka_jars import KafkaJars
from streams.settings import Settings, load_settings
from streams.topics_admin import create_topics

_FIRST_PAGES: Final = 5
#: Here all browsers are one viewer, and more come and go than one usually has.
_DASHBOARD: Final = {"port": 0, "requests_per_s": 1_000}
_ROW: Final = '.ag-row [col-id="value"]'
#: Notes the value of each cell that changes, and when.
_WATCH: Final = """() => {
  window.seen = [];
  const note = cell => window.seen.push([Number(cell.textContent.replaceAll(",", "")), Date.now()]);
  new MutationObserver(changes => {
    for (const change of changes) {
      const element = change.target.nodeType === 1 ? change.target : change.target.parentElement;
      const cell = element && element.closest('.ag-cell[col-id="value"]');
      if (cell) note(cell);
    }
  }).observe(document.querySelector(".ag-center-cols-container"), { subtree: true, childList: true, characterData: true });
}"""


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--browsers", type=int, default=2)
    parser.add_argument("--open", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    chosen = parser.parse_args()
    print("\n".join(taken_on()), flush=True)
    with KafkaJars() as kafka, tempfile.TemporaryDirectory() as directory:
        prefix = f"bench-{uuid.uuid4().hex[:8]}"
        settings = bench_settings(kafka.url, prefix)
        create_topics(settings)
        with (
            running_feeder(kafka.url, prefix, chosen) as feeder,
            running_dashboard(settings, Path(directory)) as (pid, url),
        ):
            found = asyncio.run(_measure(chosen, pid, feeder, url))
    hand_on(found, chosen.json)


def bench_settings(url: str, prefix: str) -> Settings:
    """Of topics of their own."""
    return load_settings(broker={"url": url, "topic_prefix": prefix}, log={"format": "json"}, dashboard=_DASHBOARD)


@contextlib.contextmanager
def running_feeder(url: str, prefix: str, chosen: argparse.Namespace) -> Iterator[int]:
    """Labels come while the block runs; the feeder's process id."""
    command = [sys.executable, "-m", "bench.label_feed", url, prefix, str(chosen.machines), str(chosen.rate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def running_dashboard(
    settings: Settings, directory: Path, program: Sequence[str] = ("-m", "streams.cli.main")
) -> Iterator[tuple[int, str]]:
    """A dashboard's process id and address."""
    log = directory / "dashboard.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *program, "dashboard"],
            env={**os.environ, **settings_variables(settings)},
            stderr=output,
            preexec_fn=end_with_parent,
        )
    try:
        while not (told := [line for line in log.read_text().splitlines() if '"action": "serving"' in line]):
            if process.poll() is not None:
                raise SystemExit(f"the dashboard ended:\n{log.read_text()}")
            time.sleep(0.05)
        yield process.pid, str(json.loads(told[0])["url"]).rstrip("/")
    finally:
        process.terminate()
        process.wait()


async def _measure(chosen: argparse.Namespace, pid: int, feeder: int, url: str) -> Figures:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chosen.chromium, args=["--no-sandbox"])
        await _first_page(browser, url)  # caches are warm from here on, as they are for the second one who looks
        first = [await _first_page(browser, url) for _ in range(_FIRST_PAGES)]
        pages = [await _open(browser, url) for _ in range(chosen.browsers)]
        readers = [asyncio.create_task(_read(url)) for _ in range(chosen.open - chosen.browsers)]
        with _never_reads(url):
            await asyncio.sleep(5)
            found: Figures = {"first_page_s": median_of(first, "s")}
            for page in pages:
                await page.evaluate(_WATCH)
            shares = CpuShares({"dashboard": pid, "feeder": feeder})
            await asyncio.sleep(chosen.seconds)
            used = shares.shares()
            ages = await _ages(pages)
            found["seen_p50_ms"] = figure(float(np.percentile(ages, 50)), "ms", cells=len(ages))
            found["seen_p95_ms"] = figure(float(np.percentile(ages, 95)), "ms")
            found["dashboard_cores"] = figure(used["dashboard"], "cores")
            found["machine_cores"] = figure(used["machine"], "cores")
            found["memory_mb"] = figure(round(memory_mb(pid), 1), "MB")
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await browser.close()
    return found


async def _first_page(browser: Browser, url: str) -> float:
    """Seconds from asking for the page to the first value in its grid, with nothing cached."""
    context = await browser.new_context()
    page = await context.new_page()
    began_s = time.monotonic()
    await page.goto(f"{url}/", wait_until="commit")
    await page.wait_for_selector(_ROW)
    took_s = time.monotonic() - began_s
    await context.close()
    return took_s


async def _open(browser: Browser, url: str) -> Page:
    page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    await page.goto(f"{url}/?sort=machine:asc")
    await page.wait_for_selector(_ROW)
    return page


async def _read(url: str) -> None:
    """What a browser takes, without drawing it: 25 rows in view."""
    async with websockets.connect(f"ws{url.removeprefix('http')}/live/fleet", max_size=None) as live:
        rows = json.loads(await live.recv())["rows"]
        await live.send(json.dumps([row[0] for row in rows[:25]]))
        async for _ in live:
            pass


@contextlib.contextmanager
def _never_reads(url: str) -> Iterator[None]:
    """A browser that has stopped: the socket is open, and nobody takes what comes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        stuck.connect((host, int(port)))
        stuck.sendall(
            b"GET /live/fleet HTTP/1.1\r\nHost: %b:%b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: %b\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            % (host.encode(), port.encode(), url.encode())
        )
        yield


async def _ages(pages: list[Page]) -> list[float]:
    ages: list[float] = []
    for page in pages:
        seen: list[list[Any]] = await page.evaluate("window.seen")
        ages += [age_ms(value, now_ms) for value, now_ms in seen if value is not None]
    if not ages:
        raise SystemExit("no cell changed: nothing was measured")
    return ages


if __name__ == "__main__":
    main()
