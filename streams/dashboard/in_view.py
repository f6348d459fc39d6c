"""Which rows a browser shows just now. Pure."""

from typing import Final

import msgspec

from streams.dashboard.live_rows import MOST_IN_VIEW
from streams.dashboard.machines import Key
from streams.dashboard.wire import row_key

_names: Final = msgspec.json.Decoder(list[str]).decode


class InView:
    """Told by the browser, whenever it scrolls or sorts."""

    def __init__(self) -> None:
        self.keys: frozenset[Key] = frozenset()
        self.shown = 0  # the version up to which they have been sent

    def take(self, text: str) -> None:
        """What the browser says: a JSON list of ids. What is none is not from our page, and changes nothing."""
        try:
            named = _names(text)
        except msgspec.MsgspecError:
            return
        self.keys = frozenset(key for name in named[:MOST_IN_VIEW] if (key := row_key(name)) is not None)
        self.shown = 0  # what was not in view until now may have changed unseen
