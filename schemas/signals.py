"""The signals a reading may carry, the names they go by, and what a plausible value is.

>>> standard_name("Casing Pressure"), standard_name("Flowrate"), standard_name("pump_current")
('casing_pressure', 'flow_rate', 'pump_current')
"""

import math
import re
from typing import Final

PRESSURES: Final = ("casing_pressure", "tubing_pressure", "line_pressure")
STANDARD: Final = (*PRESSURES, "flow_rate")

#: The names the talk's own queries use, and what historians commonly write, by their lower-case letters and digits.
_ALIASES: Final = {
    "casingpressure": "casing_pressure",
    "tubingpressure": "tubing_pressure",
    "linepressure": "line_pressure",
    "flowrate": "flow_rate",
    "cp": "casing_pressure",
    "tp": "tubing_pressure",
    "lp": "line_pressure",
}

NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,63}$"
_NAME = re.compile(NAME_PATTERN)
MAX_SIGNALS: Final = 64

#: What historians write when there is no value (wells.md, defects). 0 and -1 are among them in the field, but both are
#: also honest values of a shut-in well's tubing or line pressure, so they are judged by their neighbours, not here.
SENTINELS: Final = frozenset({-9999.0, 9999.0, -999.0, -999.25, 32767.0, -32768.0, 65535.0})

#: Beyond this no gauge at a wellhead reads: API 6A's highest rating is 20 000 psi; -15 psi gauge is a perfect vacuum.
PRESSURE_RANGE_PSI: Final = (-15.0, 20_000.0)
ANY_SIGNAL_LIMIT: Final = 1e12


def standard_name(name: str) -> str:
    """The one name a signal has inside wellsentry; a name it does not know is returned in snake case."""
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    if letters in _ALIASES:
        return _ALIASES[letters]
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def is_name(name: str) -> bool:
    """Whether ``name`` can name a signal: a lower-case letter, then up to 63 letters, digits and underscores."""
    return _NAME.match(name) is not None


def fault_of(signal: str, value: float | None) -> str | None:
    """Why ``value`` (psi for a pressure) can't be used: ``missing``, ``not_finite``, ``sentinel``, ``out_of_range``; or None.

    >>> fault_of("casing_pressure", 9999.0), fault_of("casing_pressure", 250.0), fault_of("flow_rate", float("nan"))
    ('sentinel', None, 'missing')
    """
    if value is None or value != value:
        return "missing"
    if math.isinf(value):
        return "not_finite"
    if value in SENTINELS:
        return "sentinel"
    if signal in PRESSURES:
        low, high = PRESSURE_RANGE_PSI
        return None if low <= value <= high else "out_of_range"
    return None if abs(value) <= ANY_SIGNAL_LIMIT else "out_of_range"
