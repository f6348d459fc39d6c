"""Event time: a whole number of milliseconds since 1970-01-01 UTC inside, ISO 8601 with ``Z`` outside.

>>> to_ms("2026-11-24T02:44:10Z"), to_ms(1795488250), to_ms(1795488250123.0)
(1795488250000, 1795488250000, 1795488250123)
>>> iso(1795488250123)
'2026-11-24T02:44:10.123Z'
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer

from schemas.errors import BadReading

#: A text that is a number and no date of eight digits. Some would be a date to Python, which takes any character between
#: date and time: 1796090400000, a moment of November 2026, for midnight of 4 September 1796.
_EPOCH_NUMBER: Final = re.compile(r"\d{9,}(\.\d*)?")

EARLIEST_MS: Final = 0
LATEST_MS: Final = 4_102_444_800_000  # 2100-01-01: anything beyond is a broken clock, not a reading

# A plain number is seconds, milliseconds, microseconds or nanoseconds since 1970: whichever of them puts it between
# 1973 and 2100. The ranges do not overlap, so no setting is needed.
_SECONDS_BELOW: Final = 1e11
_MILLISECONDS_BELOW: Final = 1e14
_MICROSECONDS_BELOW: Final = 1e17


def number_to_ms(value: float) -> int:
    """Epoch seconds, milliseconds, microseconds or nanoseconds (told apart by size) as epoch milliseconds."""
    if not EARLIEST_MS <= value < 1e20:  # also refuses NaN
        raise BadReading("bad_time", f"time {value!r} is not between 1970 and 2100")
    if value < _SECONDS_BELOW:
        ms = round(value * 1000)
    elif value < _MILLISECONDS_BELOW:
        ms = round(value)
    elif value < _MICROSECONDS_BELOW:
        ms = round(value / 1000)
    else:
        ms = round(value / 1_000_000)
    if ms > LATEST_MS:
        raise BadReading("bad_time", f"time {value!r} is not between 1970 and 2100")
    return ms


def datetime_to_ms(value: datetime) -> int:
    """Epoch milliseconds of ``value``. One without a zone is taken as UTC, as historians write it."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    ms = round(value.timestamp() * 1000)
    if not EARLIEST_MS <= ms <= LATEST_MS:
        raise BadReading("bad_time", f"time {value.isoformat()} is not between 1970 and 2100")
    return ms


def to_ms(value: str | float | int | datetime) -> int:
    """Epoch milliseconds of an ISO 8601 text, a datetime or an epoch number; :class:`BadReading` otherwise."""
    if isinstance(value, datetime):
        return datetime_to_ms(value)
    if isinstance(value, bool):
        raise BadReading("bad_time", f"time {value!r} is neither ISO 8601 nor an epoch number")
    if isinstance(value, int | float):
        return number_to_ms(value)
    if not _EPOCH_NUMBER.fullmatch(value):
        try:
            return datetime_to_ms(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            pass
    try:
        return number_to_ms(float(value))
    except (ValueError, OverflowError) as error:
        raise BadReading("bad_time", f"time {value!r} is neither ISO 8601 nor an epoch number") from error


def iso(ms: int) -> str:
    """ISO 8601 in UTC with milliseconds and ``Z``."""
    return f"{datetime.fromtimestamp(ms // 1000, UTC).isoformat()[:19]}.{ms % 1000:03d}Z"


def moment(ms: int) -> datetime:
    """The same as a datetime in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def _to_utc(value: object) -> object:
    if isinstance(value, str | int | float | datetime):
        return moment(to_ms(value))
    return value


#: A moment in a pydantic model: read from anything :func:`to_ms` takes, written by :func:`iso`.
Moment = Annotated[
    datetime,
    BeforeValidator(_to_utc),
    PlainSerializer(lambda moment: iso(datetime_to_ms(moment)), return_type=str, when_used="json"),
]
