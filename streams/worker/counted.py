"""What one stack made of the readings so far.

A run may be of five readings, and each call of numpy costs as much as judging one: so runs are only kept at first, and are
counted together.
"""

from collections import Counter
from typing import Final

import numpy as np

from models.engine.codes import ANOMALOUS, HELD, REASONS, SCORABLE, SEEN
from models.engine.labels import Labelled
from models.engine.verdicts import Verdicts
from streams.metrics.buckets import Buckets

_KINDS: Final = max(SEEN, HELD, SCORABLE, *REASONS) + 1
#: So many readings are kept before they are counted, some 640 kB.
_TOGETHER: Final = 2_000
#: 3 is once in a thousand.
_SURPRISES: Final = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0)


class StackCounts:
    """Counts of one stack since the process started."""

    def __init__(self) -> None:
        self._kinds = np.zeros(_KINDS, np.int64)
        self._anomalous = 0
        self._surprise = Buckets(_SURPRISES)
        self._kept: list[Verdicts] = []  # not counted yet
        self._readings_kept = 0
        self.revised = 0  # labels issued again
        self.incidents: Counter[str] = Counter()  # by their state
        self.requests: Counter[str] = Counter()  # training requests by their reason

    def add(self, judged: Verdicts, made: Labelled) -> None:
        """Take in what came of a run."""
        self.revised += len(made.revised)
        for _, incident in made.incidents:
            self.incidents[incident.state] += 1
        self._kept.append(judged)
        self._readings_kept += judged.n
        if self._readings_kept >= _TOGETHER:
            self._count()

    def _count(self) -> None:
        kept, self._kept, self._readings_kept = self._kept, [], 0
        if kept:
            self._kinds += np.bincount(np.concatenate([one.kind for one in kept]), minlength=_KINDS)
            self._anomalous += int(np.count_nonzero(np.concatenate([one.verdict for one in kept]) == ANOMALOUS))
            self._surprise.add(np.concatenate([one.surprise for one in kept]))

    @property
    def surprise(self) -> Buckets:
        """Of scored readings."""
        self._count()
        return self._surprise

    @property
    def anomalous(self) -> int:
        """Scored, and not normal."""
        self._count()
        return self._anomalous

    @property
    def normal(self) -> int:
        """Scored, and below the threshold."""
        anomalous = self.anomalous  # counts what is kept
        return int(self._kinds[SCORABLE]) - anomalous

    @property
    def held(self) -> int:
        """Readings by tag that wait for their partner, and so have no label."""
        self._count()
        return int(self._kinds[HELD])

    @property
    def repeated(self) -> int:
        """Readings that were part of the state already, as after a crash."""
        self._count()
        return int(self._kinds[SEEN])

    @property
    def unscored(self) -> dict[str, int]:
        """Labels that are unscored, by every reason there is."""
        self._count()
        found: dict[str, int] = {}
        for kind, reason in REASONS.items():
            found[reason] = found.get(reason, 0) + int(self._kinds[kind])
        return found
