"""What all pages share: the bar on top, colours, the scripts and styles of the package."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from nicegui import ui

from streams.dashboard.viewer import may_sign_out, viewer_of

_VIEWS: Final = (("Fleet", "/"), ("Incidents", "/incidents"), ("Health", "/health"))

_SIGN_OUT: Final = '<form method="post" action="/sign-out"><button class="ws-sign-out">Sign out</button></form>'


@contextmanager
def frame(here: str, *scripts: str) -> Iterator[None]:
    """A page called ``here``, with ``scripts`` of the static directory loaded before anything is drawn."""
    ui.add_head_html('<link rel="stylesheet" href="/static/board.css">')
    for script in ("board.js", *scripts):
        ui.add_head_html(f'<script src="/static/{script}"></script>')
    request = ui.context.client.request
    viewer = viewer_of(request)
    if not viewer.answers:
        ui.query("body").props('data-may-answer="no"')  # buttons that would be refused are not offered
    ui.dark_mode(None)
    ui.page_title(f"{here} · wellsentry")
    ui.html('<a class="ws-skip" href="#main">Skip to content</a>', sanitize=False)
    with ui.element("header").classes("ws-bar"):
        ui.html('<span class="ws-name">wellsentry</span>', sanitize=False)
        with ui.element("nav").props('aria-label="Views"'):
            for name, path in _VIEWS:
                link = ui.link(name, path).classes("ws-view")
                if name == here:
                    link.props('aria-current="page"')
        ui.html('<span id="ws-connection" role="status" aria-live="polite"></span>', sanitize=False)
        ui.label(viewer.name).classes("ws-who")
        if may_sign_out(request):
            ui.html(_SIGN_OUT, sanitize=False)
    with ui.element("div").props('id="main"').classes("ws-main"):
        yield
