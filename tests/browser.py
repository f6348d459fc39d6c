"""A page in headless Chromium; the fixture that hands it out stands in conftest.py."""

import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect, sync_playwright

from tests.parts import do_without

#: Debian's package is called like its program; others name it otherwise.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
#: No name but this machine's is found: a page that asks for something from elsewhere does not get it.
_ARGUMENTS = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]


# A page may take its time where two cores have other tests to do as well.
expect.set_options(timeout=20_000)


def chromium() -> str:
    """The path of a Chromium; without one the test is skipped, in CI it fails."""
    for name in PROGRAMS:
        if (path := shutil.which(name)) is not None:
            return path
    do_without("there is no Chromium here (Debian's package `chromium`)")


def open_page() -> Iterator[Page]:
    """An empty page; at its end it fails the test if a script failed or anything was asked of another machine."""
    path = chromium()
    # Chromium's own sandbox refuses to run as root, as which containers and CI run.
    arguments = [*_ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else _ARGUMENTS
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        page = browser.new_context().new_page()  # in which further ones may be opened
        page.on("pageerror", lambda error: wrong.append(f"a script failed: {error}"))
        page.on("request", lambda request: wrong.extend(_elsewhere(request.url)))
        yield page
        browser.close()
    assert not wrong, "; ".join(wrong)


def _elsewhere(url: str) -> list[str]:
    host = urlsplit(url).hostname
    return [f"asked another machine: {url}"] if host not in (None, "127.0.0.1", "localhost") else []
