"""Rows on their way to browsers: all at first, then what changed since, as JSON that browsers of the same clients share."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from streams.dashboard.incidents import answer
from streams.dashboard.machines import Key, Row
from streams.dashboard.picture import Picture
from streams.dashboard.seen import written
from streams.dashboard.viewer import Viewer
from streams.dashboard.wire import COLUMNS, wire_row

_KEPT: Final = 16


class LiveRows:
    """Messages for any number of browsers.

    The first one to a browser is ``{"columns", "version", "rows"}``, all later ones ``{"version", "rows"}``.
    """

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._made: OrderedDict[tuple[frozenset[str] | None, int, int], bytes] = OrderedDict()

    @property
    def version(self) -> int:
        """Of the latest change."""
        return self._picture.rows_changed.latest

    def whole(self, viewer: Viewer) -> bytes:
        """All that ``viewer`` may see."""
        return written({"columns": COLUMNS, "version": self.version, "rows": self._rows(viewer, self._picture.rows)})

    def since(self, viewer: Viewer, version: int) -> bytes | None:
        """What changed after ``version`` for this viewer; None if nothing did."""
        if version == self.version:
            return None
        key = (viewer.clients, version, self.version)
        made = self._made.get(key)
        if made is None:
            rows = self._rows(viewer, self._picture.rows_changed.since(version))
            made = self._made[key] = written({"version": self.version, "rows": rows})
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return made

    def _rows(self, viewer: Viewer, keys: Iterable[Key]) -> list[list[object]]:
        rows = self._picture.rows
        return [self._row(rows[key]) for key in keys if viewer.sees(key[0])]

    def _row(self, row: Row) -> list[object]:
        case = self._picture.incidents.cases.get(row.incident_id) if row.incident_id else None
        return wire_row(row, answer(case.standing()) if case is not None and case.said else None)
