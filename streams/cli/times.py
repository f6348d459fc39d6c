"""Times as people type them."""

import re
from typing import Final

import typer

from schemas.errors import BadReading
from schemas.times import to_ms

_MS_IN: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def moment_ms(text: str, now_ms: int) -> int:
    """Epoch milliseconds of ISO 8601 (no zone means UTC), an epoch number, ``now``, or a time ago such as ``90m``.

    >>> moment_ms("2026-11-24T02:44", 0), moment_ms("2h", 10_000_000), moment_ms("now", 7)
    (1795488240000, 2800000, 7)
    """
    if text == "now":
        return now_ms
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return now_ms - round(float(ago[1]) * _MS_IN[ago[2]])
    try:
        return to_ms(text)
    except BadReading as error:
        raise typer.BadParameter(
            f"{text!r} is no time: give 2026-11-24T02:44, an epoch number, now, or how long ago: 30s 90m 2h 7d"
        ) from error
