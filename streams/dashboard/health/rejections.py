"""What could not be read: how often for which reason, and the last ones of it. Pure."""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

import msgspec

_KEPT: Final = 50
_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000
_LONGEST: Final = 300


class RejectedSeen(msgspec.Struct, gc=False):
    """Of :class:`schemas.rejected.Rejected`; key and value as they came."""

    reason: str
    detail: str
    source_topic: str
    source_partition: int
    source_offset: int
    key: bytes | None = None
    value: bytes | None = None


_decode = msgspec.json.Decoder(RejectedSeen).decode


def see_rejected(value: bytes) -> RejectedSeen:
    """A rejection. Raises what :data:`streams.dashboard.seen.NOT_SEEN` names."""
    return _decode(value)


@dataclass(frozen=True, slots=True)
class Sample:
    """One of them, for people: texts are cut, and what is no text is shown as escapes."""

    at_ms: int
    reason: str
    detail: str
    place: str
    key: str
    value: str


class Rejections:
    """The last hour's, by reason, and the newest few."""

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=_KEPT)
        self._minutes: deque[tuple[int, Counter[str]]] = deque(maxlen=_HOUR_MS // _MINUTE_MS)

    def take(self, found: RejectedSeen, at_ms: int) -> None:
        """One more, that Kafka got at ``at_ms``."""
        minute = at_ms // _MINUTE_MS
        if not self._minutes or self._minutes[-1][0] < minute:
            self._minutes.append((minute, Counter()))
        self._minutes[-1][1][found.reason] += 1
        place = f"{found.source_topic}/{found.source_partition}/{found.source_offset}"
        self.samples.append(
            Sample(at_ms, found.reason, found.detail[:_LONGEST], place, as_text(found.key), as_text(found.value))
        )

    def by_reason(self, now_ms: int) -> dict[str, int]:
        """In the last hour, the most frequent first."""
        counts: Counter[str] = Counter()
        for minute, found in self._minutes:
            if minute * _MINUTE_MS > now_ms - _HOUR_MS:
                counts.update(found)
        return dict(counts.most_common())


def as_text(raw: bytes | None) -> str:
    """Bytes as a person can read them.

    >>> as_text(b"a\\xff\\x00b"), as_text(None)
    ('a\\\\xff\\\\x00b', '')
    """
    if raw is None:
        return ""
    text = raw[:_LONGEST].decode(errors="backslashreplace")
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)
