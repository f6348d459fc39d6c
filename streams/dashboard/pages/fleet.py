"""The fleet: a row for each machine, changing live.

Rows go from our own websocket straight into the grid, not through NiceGUI.
"""

from typing import Any, Final

from nicegui import ui

from streams.dashboard.pages.frame import frame

#: Everything is in fleet.js: rows put into the grid's options here would be kept and sent again for each browser.
_OPTIONS: Final[dict[str, Any]] = {
    ":columnDefs": "wellsentryFleet.columns",
    ":getRowId": "params => params.data.id",
    ":onGridReady": "params => wellsentryFleet.begin(params.api)",
    ":isExternalFilterPresent": "() => wellsentryFleet.isFiltered()",
    ":doesExternalFilterPass": "node => wellsentryFleet.passes(node.data)",
    ":onSortChanged": "() => wellsentryFleet.remember()",
    ":onRowClicked": "event => wellsentryFleet.open(event.data)",
    ":onCellKeyDown": "event => { if (event.event.key === 'Enter') wellsentryFleet.open(event.data); }",
    "asyncTransactionWaitMillis": 50,
    "rowHeight": 30,
    "headerHeight": 34,
    "animateRows": False,  # rows that change places all the time cannot be read
    "deltaSort": True,
    "defaultColDef": {"sortable": True, "resizable": True, "suppressHeaderMenuButton": True},
}


def fleet_page() -> None:
    """Register the page ``/``."""

    @ui.page("/")
    def fleet() -> None:
        with frame("Fleet", "fleet.js"):
            ui.html('<div id="fleet-counts" class="ws-counts" role="group" aria-label="States"></div>', sanitize=False)
            with ui.element("div").classes("ws-filters"):
                ui.html(
                    '<label hidden>Client <select id="fleet-client"><option value="">all</option></select></label>'
                    '<label hidden>Area <select id="fleet-area"><option value="">all</option></select></label>'
                    '<label>Find <input id="fleet-find" type="search" autocomplete="off" placeholder="machine"></label>'
                    '<span id="fleet-shown" role="status"></span>',
                    sanitize=False,
                )
            ui.aggrid(_OPTIONS, auto_size_columns=False).classes("ws-grid").props('aria-label="Machines"')
