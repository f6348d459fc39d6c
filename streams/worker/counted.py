"""What one stack made of the readings so far, counted a run at a time."""

from collections import Counter
from typing import Final

import numpy as np

from models.engine.codes import ANOMALOUS, HELD, REASONS, SCORABLE, SEEN
from models.engine.labels import Labelled
from models.engine.verdicts import Verdicts
from streams.metrics.buckets import Buckets

_KINDS: Final = max(SEEN, HELD, SCORABLE, *REASONS) + 1
#: 3 is once in a thousand.
_SURPRISES: Final = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0)


class StackCounts:
    """Counts of one stack since the process started."""

    def __init__(self) -> None:
        self._kinds = np.zeros(_KINDS, np.int64)
        self.anomalous = 0
        self.revised = 0  # labels issued again
        self.incidents: Counter[str] = Counter()  # by their state
        self.requests: Counter[str] = Counter()  # training requests by their reason
        self.surprise = Buckets(_SURPRISES)

    def add(self, judged: Verdicts, made: Labelled) -> None:
        """Count what came of a run."""
        self._kinds += np.bincount(judged.kind, minlength=_KINDS)
        self.anomalous += int(np.count_nonzero(judged.verdict == ANOMALOUS))
        self.revised += len(made.revised)
        self.incidents.update(incident.state for _, incident in made.incidents)
        self.surprise.add(judged.surprise)

    @property
    def normal(self) -> int:
        """Scored, and below the threshold."""
        return int(self._kinds[SCORABLE]) - self.anomalous

    @property
    def held(self) -> int:
        """Readings by tag that wait for their partner, and so have no label."""
        return int(self._kinds[HELD])

    @property
    def repeated(self) -> int:
        """Readings that were part of the state already, as after a crash."""
        return int(self._kinds[SEEN])

    @property
    def unscored(self) -> dict[str, int]:
        """Labels that are unscored, by every reason there is."""
        found: dict[str, int] = {}
        for kind, reason in REASONS.items():
            found[reason] = found.get(reason, 0) + int(self._kinds[kind])
        return found
