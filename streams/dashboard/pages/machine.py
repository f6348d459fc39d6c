"""One machine: how it stands, its labels on one time axis, why a label is what it is, its model, its incidents."""

import asyncio
import json
from typing import Final

from nicegui import ui

from streams.dashboard.pages.frame import frame
from streams.dashboard.picture import Picture
from streams.dashboard.viewer import viewer_of

_RANGES: Final = (("live", "live"), ("24h", "24 h"), ("7d", "7 d"), ("30d", "30 d"))

_CONTROLS: Final = (
    '<div class="ws-buttons" role="group" aria-label="Range">'
    + "".join(
        f'<button type="button" data-range="{name}" aria-pressed="false">{text}</button>' for name, text in _RANGES
    )
    + '</div><div class="ws-buttons" role="group" aria-label="Zoom">'
    '<button type="button" id="machine-in">Zoom in</button><button type="button" id="machine-out">Zoom out</button>'
    '</div><label hidden>Stack <select id="machine-stack"></select></label><span id="machine-note" role="status"></span>'
)

_CHART: Final = (
    'tabindex=0 id="machine-chart" role="application" aria-roledescription="chart" aria-label="Labels over time. Arrow '
    'keys go from label to label, Enter explains the chosen one, plus and minus zoom."'
)

_CARDS: Final = """
<section id="machine-label" class="ws-card" aria-live="polite" aria-label="The chosen label">
  <p>Click into the chart to see why a label is what it is. By keyboard: go to the chart, arrow keys, Enter.</p></section>
<section id="machine-model" class="ws-card" aria-label="The model"><p>Waiting for the model.</p></section>
<section id="machine-incidents" class="ws-card" aria-label="Incidents"><p>Waiting for incidents.</p></section>
"""


def machine_page(picture: Picture, caught_up: asyncio.Event) -> None:
    """Register the page ``/machine/CLIENT/MACHINE``; stack, range and what is chosen stand behind it in the address."""

    @ui.page("/machine/{client_id}/{machine_id:path}")
    def machine(client_id: str, machine_id: str) -> None:
        viewer = viewer_of(ui.context.client.request)
        is_known = picture.has_machine(client_id, machine_id) or not caught_up.is_set()
        if not viewer.sees(client_id) or not is_known:
            ui.context.client.status_code = 404
            with frame("No such machine"):
                ui.label(f"There is no machine {machine_id!r} of client {client_id!r} that you may see.")
            return
        with frame(machine_id, "machine_chart.js", "machine_cards.js", "machine.js"):
            ui.html('<div id="machine-head" class="ws-head"></div>', sanitize=False)
            with ui.element("div").classes("ws-filters"):
                ui.html(_CONTROLS, sanitize=False)
            with ui.element("div").classes("ws-chart").props(_CHART):
                chart = ui.echart({}).classes("ws-echart")
            ui.html('<p id="machine-said" class="ws-said-line" role="status" aria-live="polite"></p>', sanitize=False)
            ui.html(f'<div class="ws-machine-cards">{_CARDS}</div>', sanitize=False)
            stacks = [key[2] for key in picture.keys_of(client_id, machine_id, None)]
            given = json.dumps([client_id, machine_id, stacks]).replace("<", "\\u003c")
            ui.run_javascript(f"wellsentryMachine.begin(...{given}, {chart.id})")
