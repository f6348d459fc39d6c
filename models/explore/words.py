"""Numbers and times as a sentence has them."""

from collections.abc import Sequence
from datetime import datetime


def number(value: float) -> str:
    """Three digits that count.

    >>> [number(x) for x in (0.0, 0.01234, 1.5, 412.53, 18234.0, -7.0)]
    ['0', '0.0123', '1.5', '413', '18,234', '-7']
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def share(value: float) -> str:
    """A share in percent.

    >>> share(0.0), share(0.00004), share(0.034), share(0.42), share(0.9999)
    ('0 %', 'under 0.1 %', '3.4 %', '42 %', 'over 99.9 %')
    """
    percent = 100 * value
    if 0 < percent < 0.1:
        return "under 0.1 %"
    if 99.9 < percent < 100:
        return "over 99.9 %"
    return f"{percent:.1f} %".replace(".0 %", " %") if percent < 10 else f"{percent:.3g} %"


def duration(seconds: float) -> str:
    """How long, in the unit people would use.

    >>> [duration(s) for s in (10, 90, 5400, 200_000, 3_000_000)]
    ['10 s', '90 s', '90 min', '2.3 days', '35 days']
    """
    if seconds < 120:
        return f"{number(seconds)} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.3g} h"
    return f"{seconds / 86_400:.2g} days" if seconds < 8_640_000 else f"{seconds / 86_400:,.0f} days"


def day(moment: datetime) -> str:
    """To the minute, UTC.

    >>> day(datetime(2026, 11, 24, 2, 44, 10))
    '2026-11-24 02:44'
    """
    return f"{moment:%Y-%m-%d %H:%M}"


def words(signal: str) -> str:
    """A signal's name as people say it.

    >>> words("casing_pressure")
    'casing pressure'
    """
    return signal.replace("_", " ")


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in a sentence, the first of many.

    >>> listed(["a"]), listed(["a", "b", "c"]), listed(["a", "b", "c"], 1)
    ('a', 'a, b and c', 'a and 2 more')
    """
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
