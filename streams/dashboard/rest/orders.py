"""Orders that are kept: rows sorted by what changes, as they stood when the first page was asked for.

Sorted anew for each page, a machine that rises from one page to another would be missed, or come twice. So the order
is kept, in memory and for the latest few who asked; rows in it are shown as they are.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from schemas.errors import RefusedRequest
from streams.dashboard.machines import Key

#: Of all orders together, some 8 MB.
_MOST_KEYS: Final = 1_000_000


class Orders:
    """Orders by name. ``new_name`` gives names that were never given before, by no other dashboard either."""

    def __init__(self, new_name: Callable[[], str], most_keys: int = _MOST_KEYS) -> None:
        self._new_name, self._most_keys = new_name, most_keys
        self._kept: OrderedDict[str, Sequence[Key]] = OrderedDict()
        self._keys = 0

    def keep(self, keys: Sequence[Key]) -> str:
        """Keep this order; its name. The one not asked for the longest makes room."""
        name = self._new_name()
        self._kept[name] = keys
        self._keys += len(keys)
        while self._keys > self._most_keys and len(self._kept) > 1:
            self._keys -= len(self._kept.popitem(last=False)[1])
        return name

    def of(self, name: str) -> Sequence[Key]:
        """An order that was kept. Raises :class:`RefusedRequest` where it is not any more."""
        if name not in self._kept:
            raise RefusedRequest(
                410,
                "old-cursor",
                "the order of these pages is not kept any more: begin again without a cursor, or with sort=machine, whose "
                "cursors do not grow old",
            )
        self._kept.move_to_end(name)
        return self._kept[name]
