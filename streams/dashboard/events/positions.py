"""Event ids: the offsets from which a reader goes on, of all partitions of its topics, in hexadecimal. Pure.

>>> Ids("labels", 3).text([10, 0, 4096])
'labels:a.0.1000'
>>> Ids("labels", 3).positions("labels:a.0.1000")
[10, 0, 4096]
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.errors import RefusedRequest

_LARGEST: Final = 2**63 - 1
_FORM: Final = re.compile(r"([a-z]+):([0-9a-f]{1,16}(?:\.[0-9a-f]{1,16})*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids of one stream of events, whose topics have ``partitions`` partitions together."""

    stream: str
    partitions: int

    def text(self, positions: Sequence[int]) -> str:
        """The id of the event after which a reader stands at ``positions``."""
        return f"{self.stream}:{'.'.join(f'{position:x}' for position in positions)}"

    def positions(self, text: str) -> list[int]:
        """Where the reader of that event stands. Raises :class:`RefusedRequest` if it is no id of this stream."""
        found = _FORM.fullmatch(text)
        if found is None or found[1] != self.stream:
            raise self._refused(text, f"is no id of an event of {self.stream}")
        positions = [int(one, 16) for one in found[2].split(".")]
        if len(positions) != self.partitions or max(positions) > _LARGEST:
            raise self._refused(
                text, f"is of topics that had {len(positions)} partitions, and they have {self.partitions}"
            )
        return positions

    def _refused(self, text: str, what: str) -> RefusedRequest:
        return RefusedRequest(
            400,
            "bad-event-id",
            f"Last-Event-ID {text[:80]!r} {what}. Send the id of this stream's last event as it came, or none to begin now.",
        )
