"""Rows on their way to browsers: all at first, then what changed since. A row is written once for all who see it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from streams.dashboard.incidents import answer
from streams.dashboard.machines import Key, Row
from streams.dashboard.picture import Picture
from streams.dashboard.seen import written
from streams.dashboard.viewer import Viewer
from streams.dashboard.wire import COLUMNS, wire_row

#: How many rows may be in view: more no screen has.
MOST_IN_VIEW: Final = 300


class LiveRows:
    """Messages for any number of browsers.

    The first one to a browser is ``{"columns", "version", "rows"}``, all later ones ``{"version", "rows"}``.
    """

    def __init__(self, picture: Picture, areas: Mapping[tuple[str, str], str], now_ms: Callable[[], int]) -> None:
        self._picture, self._areas, self._now_ms = picture, areas, now_ms
        self._written: dict[Key, tuple[int, bytes]] = {}  # and the version of the row that it shows

    @property
    def version(self) -> int:
        """Of the latest change."""
        return self._picture.rows_changed.latest

    def whole(self, viewer: Viewer) -> bytes:
        """All that ``viewer`` may see."""
        return b'{"columns":%b,%b' % (written(COLUMNS), self._rows(viewer, self._picture.rows)[1:])

    def since(self, viewer: Viewer, version: int) -> bytes | None:
        """What changed after ``version`` for this viewer; None if nothing did."""
        keys = [key for key in self._picture.rows_changed.since(version) if viewer.sees(key[0])]
        return self._rows(viewer, keys) if keys else None

    def in_view(self, viewer: Viewer, version: int, in_view: frozenset[Key]) -> bytes | None:
        """The same, of rows that are in view."""
        of = self._picture.rows_changed.of
        keys = [key for key in in_view if of(key) > version and viewer.sees(key[0])]
        return self._rows(viewer, keys) if keys else None

    def named(self, key: Key) -> dict[str, object]:
        """One row that is there, by the names of its columns."""
        return dict(zip(COLUMNS, self._wired(self._picture.rows[key]), strict=True))

    def _rows(self, viewer: Viewer, keys: Iterable[Key]) -> bytes:
        rows = b",".join(self._row(key) for key in keys if viewer.sees(key[0]))
        return b'{"version":%d,"rows":[%b]}' % (self.version, rows)

    def _row(self, key: Key) -> bytes:
        version = self._picture.rows_changed.of(key)
        known = self._written.get(key)
        if known is not None and known[0] == version:
            return known[1]
        made = written(self._wired(self._picture.rows[key]))
        self._written[key] = (version, made)
        return made

    def _wired(self, row: Row) -> list[object]:
        case = self._picture.incidents.cases.get(row.incident_id) if row.incident_id else None
        said = answer(case.standing()) if case is not None and case.said else None
        area = self._areas.get((row.client_id, row.machine_id))
        return wire_row(row, case.incident if case else None, said, area, self._now_ms())
