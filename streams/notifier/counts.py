"""What the notifier counts, for each target since it started."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Of one target. Incidents, unless it says notices."""

    told: int = 0  # notices that arrived
    storms: int = 0  # of these, such that sum up many
    failed_tries: int = 0
    given_up: int = 0  # never told: refused, or too old
    quieted: int = 0  # shelved or acknowledged
    not_wanted: int = 0  # another client, state or surprise
    unreadable: int = 0  # records that hold no incident
    waiting: int = 0  # now
    failures_in_a_row: int = 0  # tries, now
