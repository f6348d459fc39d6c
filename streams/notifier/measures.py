"""What the notifier tells Prometheus of itself, by target: those are named in the settings, so there are few."""

from collections.abc import Callable, Iterator, Mapping

from streams.metrics.families import Metric, counters, gauges
from streams.metrics.observing import Observation
from streams.notifier.counts import Counts

_COUNTED = (
    ("told", "wellsentry_notices_told_total", "Notices that a target took."),
    ("failed_tries", "wellsentry_notices_failed_tries_total", "Tries that a target did not take."),
    ("given_up", "wellsentry_notices_given_up_total", "Incidents that a target was never told of."),
    (
        "quieted",
        "wellsentry_notices_quieted_total",
        "Incidents not told, since somebody looks after them or shelved them.",
    ),
    ("storms", "wellsentry_notices_storms_total", "Notices that stand for many incidents."),
)


def observation(counts: Mapping[str, Counts], missing: Callable[[], list[str]]) -> Observation:
    """Of each target."""

    def measure() -> Iterator[Metric]:
        for field, name, about in _COUNTED:
            yield counters(name, about, ["target"], {(target,): getattr(one, field) for target, one in counts.items()})
        waiting = {(target,): float(one.waiting) for target, one in counts.items()}
        yield gauges("wellsentry_notices_waiting", "Incidents that wait to be told.", ["target"], waiting)

    return Observation("notifier", [measure], [missing])
