"""What became of one try to tell a target."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from models.notices.backoff import LONGEST_ASKED_S

#: Of those that say "your mistake", these may pass: timed out, too early, too many.
_MAY_PASS: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Outcome:
    """``said`` is in words, and holds no secret. ``answer`` is how the receiver's own began, not for logs."""

    what: Literal["told", "try_again", "refused"]
    said: str
    asked_s: float = 0.0  # try_again: for how much patience the receiver asked
    answer: str = ""


def outcome_of(status: int, retry_after: str | None, now: datetime, answer: str = "") -> Outcome:
    """Of an HTTP answer.

    >>> now = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
    >>> [outcome_of(status, None, now).what for status in (204, 302, 404, 408, 500)]
    ['told', 'try_again', 'refused', 'try_again', 'try_again']
    >>> outcome_of(429, "120", now).asked_s, outcome_of(503, "Tue, 24 Nov 2026 03:01:00 GMT", now).asked_s
    (120.0, 60.0)
    """
    if 200 <= status < 300:
        return Outcome("told", f"answered {status}", answer=answer)
    if 400 <= status < 500 and status not in _MAY_PASS:
        return Outcome("refused", f"answered {status}", answer=answer)
    said = (
        f"answered {status}, which points elsewhere and is not followed"
        if 300 <= status < 400
        else f"answered {status}"
    )
    return Outcome("try_again", said, _patience_s(retry_after, now), answer)


def _patience_s(retry_after: str | None, now: datetime) -> float:
    """Seconds in a Retry-After header, whichever of its two forms it has; 0 where it has neither."""
    if retry_after is None or len(retry_after) > 100:
        return 0.0
    if retry_after.strip().isdigit() and retry_after.isascii():
        return min(float(retry_after), LONGEST_ASKED_S)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), LONGEST_ASKED_S)
