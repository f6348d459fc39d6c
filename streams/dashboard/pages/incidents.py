"""Incidents: open and past, what was expected, what people said, and the buttons to say something."""

from typing import Any, Final

from nicegui import ui

from streams.dashboard.pages.frame import frame

_OPTIONS: Final[dict[str, Any]] = {
    ":columnDefs": "wellsentryIncidents.columns",
    ":getRowId": "params => params.data.id",
    ":onGridReady": "params => wellsentryIncidents.begin(params.api)",
    ":isExternalFilterPresent": "() => true",
    ":doesExternalFilterPass": "node => wellsentryIncidents.passes(node.data)",
    ":onSortChanged": "() => wellsentryIncidents.remember()",
    ":onRowClicked": "event => wellsentryIncidents.choose(event.data.id)",
    ":onCellKeyDown": "event => { if (event.event.key === 'Enter') wellsentryIncidents.choose(event.data.id); }",
    "animateRows": False,
    "rowHeight": 30,
    "headerHeight": 34,
    "defaultColDef": {"sortable": True, "resizable": True, "suppressHeaderMenuButton": True},
}

_FILTERS: Final = """
<label>Show <select id="incidents-state">
  <option value="open">open</option><option value="unanswered">open, unanswered</option>
  <option value="closed">closed</option><option value="">all</option></select></label>
<label hidden>Client <select id="incidents-client"><option value="">all</option></select></label>
<label>Find <input id="incidents-find" type="search" autocomplete="off" placeholder="machine"></label>
<span id="incidents-shown" role="status"></span>
"""


def incidents_page() -> None:
    """Register the page ``/incidents``."""

    @ui.page("/incidents")
    def incidents() -> None:
        with frame("Incidents", "answer.js", "incidents.js"):
            with ui.element("div").classes("ws-filters"):
                ui.html(_FILTERS, sanitize=False)
            with ui.element("div").classes("ws-two"):
                ui.aggrid(_OPTIONS, auto_size_columns=False).classes("ws-grid").props('aria-label="Incidents"')
                ui.html(
                    '<section id="incident" class="ws-card" aria-live="polite" aria-label="The chosen incident">'
                    "<p>Choose an incident to see what was expected, and to say what it was.</p></section>",
                    sanitize=False,
                )
