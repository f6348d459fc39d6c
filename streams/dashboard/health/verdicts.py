"""How many labels of each verdict came, minute by minute, client by client. Pure."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from streams.dashboard.seen import LabelSeen
from streams.dashboard.viewer import Viewer

_MINUTE_MS: Final = 60_000
#: Now, and what is usual: so many minutes.
_NOW: Final = 5
_USUAL: Final = 60
#: So large a share of anomalous labels is a flood, if it is so many times the usual one.
_FLOOD: Final = 0.25
_TIMES_USUAL: Final = 3.0


@dataclass(frozen=True, slots=True)
class Share:
    """Of the scored labels of some minutes, how many were anomalous."""

    anomalous: int
    scored: int

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where nothing was scored."""
        return self.anomalous / self.scored if self.scored else None


class Verdicts:
    """Labels by verdict in the last hour, by the minute in which Kafka got them."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[int, Counter[tuple[str, str]]]] = deque(maxlen=_USUAL)

    def take(self, labels: Iterable[tuple[LabelSeen, int]]) -> None:
        """Labels, each with the moment at which Kafka got it."""
        for label, heard_ms in labels:
            self._of(heard_ms // _MINUTE_MS)[label.client_id, label.label] += 1

    def _of(self, minute: int) -> Counter[tuple[str, str]]:
        if not self._minutes or self._minutes[-1][0] < minute:
            self._minutes.append((minute, Counter()))
        return self._minutes[-1][1]  # partitions are read side by side, so a label may be counted a minute late

    def counts(self, viewer: Viewer, now_ms: int, minutes: int = _NOW) -> dict[str, int]:
        """Labels by verdict in the last ``minutes``."""
        found = Counter({"normal": 0, "anomalous": 0, "unscored": 0})
        for minute, counts in self._minutes:
            if minute > now_ms // _MINUTE_MS - minutes:
                for (client, verdict), count in counts.items():
                    if viewer.sees(client):
                        found[verdict] += count
        return dict(found)

    def anomalous(self, viewer: Viewer, now_ms: int) -> tuple[Share, Share]:
        """Of now, and of the hour before, which tells what is usual."""
        now, hour = self.counts(viewer, now_ms), self.counts(viewer, now_ms, _USUAL)
        before = {verdict: hour[verdict] - now[verdict] for verdict in now}
        return _share(now), _share(before)


def _share(counts: dict[str, int]) -> Share:
    return Share(counts["anomalous"], counts["anomalous"] + counts["normal"])


def is_flood(now: Share, usual: Share) -> bool:
    """Whether suddenly so much is anomalous that the cause is more likely one thing than many wells.

    >>> is_flood(Share(50, 100), Share(10, 1000)), is_flood(Share(5, 100), Share(10, 1000))
    (True, False)
    """
    if now.share is None or now.share < _FLOOD:
        return False
    return usual.share is None or now.share >= _TIMES_USUAL * usual.share
