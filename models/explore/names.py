"""What machines are called in sentences: by their name, and with their client where two have the same."""

from collections import Counter
from collections.abc import Iterable


def names(machines: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """By client and machine: a name that no other has.

    >>> list(names([("acme", "well-7"), ("other", "well-7"), ("acme", "well-8")]).values())
    ['acme/well-7', 'other/well-7', 'well-8']
    """
    both = list(machines)
    counted = Counter(machine for _, machine in both)
    return {one: one[1] if counted[one[1]] == 1 else "/".join(one) for one in both}
