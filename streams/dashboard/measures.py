"""What the dashboard tells Prometheus of itself."""

from collections.abc import Iterator

from streams.dashboard.following import Following
from streams.dashboard.picture import Picture
from streams.metrics.families import Metric, counter, gauge
from streams.metrics.observing import Observation


def observation(picture: Picture, following: Following) -> Observation:
    """Counts of what was taken in, and whether what was before the start has been."""

    def measure() -> Iterator[Metric]:
        yield counter("wellsentry_dashboard_labels_total", "Labels taken in.", picture.labels)
        yield gauge(
            "wellsentry_dashboard_labels_behind", "Labels on their topic that are not taken in yet.", following.lag
        )
        yield counter(
            "wellsentry_dashboard_records_skipped_total",
            "Records that are not what their topic promises.",
            following.skipped,
        )
        yield gauge("wellsentry_dashboard_rows", "Machines and stacks that are shown.", len(picture.rows))

    def lacks() -> list[str]:
        return [] if following.caught_up.is_set() else ["what was on the topics before the start"]

    return Observation("dashboard", [measure], [lacks])
