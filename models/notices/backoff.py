"""How long to wait before trying again."""

from typing import Final

FIRST_S: Final = 1.0
LONGEST_S: Final = 300.0
#: Nobody who asks for patience gets more.
LONGEST_ASKED_S: Final = 3600.0


def backoff_s(failures: int, jitter: float, asked_s: float = 0.0) -> float:
    """Seconds until the next try after so many ``failures`` in a row (1 at least).

    Twice as long each time, up to :data:`LONGEST_S`, of which ``jitter`` (0 to 1) takes away up to half, so that many who
    failed together do not come back together. Never sooner than the receiver asked for, within :data:`LONGEST_ASKED_S`.

    >>> [backoff_s(n, jitter=0.0) for n in (1, 2, 3, 100)]
    [1.0, 2.0, 4.0, 300.0]
    >>> backoff_s(1, jitter=1.0), backoff_s(1, jitter=0.5, asked_s=30)
    (0.5, 30)
    """
    full_s = LONGEST_S if failures > 20 else min(LONGEST_S, FIRST_S * 2 ** (failures - 1))
    return max(full_s * (1 - jitter / 2), min(asked_s, LONGEST_ASKED_S))
