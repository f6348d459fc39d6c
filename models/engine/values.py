"""Whether a value can be one at all, judged by itself."""

from typing import Any, Final

import numpy as np

from models.engine.codes import ABSENT, GOOD, SPOILT
from models.engine.compiled import compiled
from schemas.signals import ANY_SIGNAL_LIMIT, PRESSURE_RANGE_PSI, SENTINELS

_SENTINELS: Final = tuple(sorted(SENTINELS))
_LOWEST_PSI, _HIGHEST_PSI = PRESSURE_RANGE_PSI


@compiled
def check_values(
    values: Any,  # n x v, as they came; made psi where they are pressures, and NaN where they are not GOOD
    psi_per_unit: Any,  # n
    bad: Any,  # n: the sensor's own system says so
    pressure: Any,  # v: whether a signal is a pressure
    quality: Any,  # n x v, out
) -> None:
    """A sentinel, an infinity or a value no gauge can show is SPOILT, NaN is ABSENT, all else GOOD."""
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            raw = values[i, j]
            if raw != raw:
                quality[i, j] = ABSENT
                continue
            spoilt = bad[i] or np.isinf(raw)
            for sentinel in _SENTINELS:
                spoilt |= raw == sentinel
            if pressure[j]:
                made = raw * psi_per_unit[i]
                spoilt |= made < _LOWEST_PSI or made > _HIGHEST_PSI
            else:
                made = raw
                spoilt |= abs(made) > ANY_SIGNAL_LIMIT
            quality[i, j] = SPOILT if spoilt else GOOD
            values[i, j] = np.nan if spoilt else made
