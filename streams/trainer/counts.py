"""What a trainer has done, as metrics."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from streams.metrics.families import Buckets, Metric, counter, counters, gauge, histograms

#: What the registry is asked for, see ``Trainer._patiently``.
_ASKED_FOR: Final = ("store", "pin", "fleet")


class Counts:
    """Counts since the process started."""

    def __init__(self, told: Mapping[str, int], wall_s: Callable[[], float]) -> None:
        """``told``: how often each warning was given; ``wall_s``: seconds since 1970."""
        self._told, self._wall_s = told, wall_s
        self.fits = Buckets()  # seconds
        self.published: Counter[str] = Counter()  # by rung
        self.held = 0  # models that were fitted and not published, since another was activated
        self.registry_failures: Counter[str] = Counter()  # by what it was asked for
        self._requests = 0
        self._ages_s = Buckets()
        self._oldest_s: float | None = None  # when the oldest of the requests at hand was made

    def begun(self, records: Sequence[Any]) -> None:
        """Requests are at hand."""
        self._oldest_s = min(record.timestamp for record in records) / 1000

    def answered(self, records: Sequence[Any]) -> None:
        """They are answered, and committed."""
        self._oldest_s = None
        self._requests += len(records)
        self._ages_s.add(self._wall_s() - np.array([record.timestamp for record in records]) / 1000)

    def measure(self) -> Iterator[Metric]:
        """All of them."""
        yield counter("wellsentry_trainer_requests_total", "Requests that were dealt with.", self._requests)
        yield counter(
            "wellsentry_trainer_refused_total",
            "Requests that nothing can answer.",
            self._told.get("request_refused", 0),
        )
        yield histograms("wellsentry_trainer_fit_seconds", "How long fits took.", (), {(): self.fits})
        yield histograms(
            "wellsentry_trainer_answer_seconds",
            "How old requests were when they were dealt with.",
            (),
            {(): self._ages_s},
        )
        age_s = 0.0 if self._oldest_s is None else max(0.0, self._wall_s() - self._oldest_s)
        yield gauge("wellsentry_trainer_oldest_request_seconds", "Age of the oldest request at hand; 0: none.", age_s)
        yield counters(
            "wellsentry_trainer_models_published_total",
            "Models that were published.",
            ("rung",),
            {(rung,): self.published[rung] for rung in ("own", "fleet")},
        )
        yield counter(
            "wellsentry_trainer_models_held_total", "Models not published, for another was activated.", self.held
        )
        yield counters(
            "wellsentry_trainer_registry_failures_total",
            "Calls that the registry failed.",
            ("asked_for",),
            {(what,): self.registry_failures[what] for what in _ASKED_FOR},
        )
