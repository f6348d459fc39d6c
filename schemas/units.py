"""Pressure units. Inside wellsentry every pressure is psi (gauge); flow rates stay as they come.

>>> to_psi(1.0, "bar")
14.503773773020923
>>> to_psi(250.0, "psig")
250.0
"""

from typing import Final

from schemas.errors import BadReading

#: psi in one unit. 1 psi = 4.448 221 615 260 5 N / (0.025 4 m)^2 = 6 894.757 293 168 361 Pa; both numbers are exact by
#: definition (NIST SP 811, 2008, appendix B).
PSI_PER: Final[dict[str, float]] = {
    "psi": 1.0,
    "psig": 1.0,
    "pa": 1.0 / 6894.757293168361,
    "kpa": 1_000.0 / 6894.757293168361,
    "mpa": 1_000_000.0 / 6894.757293168361,
    "bar": 100_000.0 / 6894.757293168361,
    "barg": 100_000.0 / 6894.757293168361,
}


def psi_per(unit: str) -> float:
    """How many psi one ``unit`` is. Upper and lower case do not matter.

    Raises :class:`BadReading` (``unknown_unit``) for anything that is not a pressure unit.
    """
    factor = PSI_PER.get(unit) or PSI_PER.get(unit.strip().lower())
    if factor is None:
        known = ", ".join(PSI_PER)
        raise BadReading("unknown_unit", f"unit {unit!r} is no pressure unit; known are {known}")
    return factor


def to_psi(value: float, unit: str) -> float:
    """``value`` in psi. A pressure in psi is returned unchanged, to the last bit."""
    factor = psi_per(unit)
    return value if factor == 1.0 else value * factor
