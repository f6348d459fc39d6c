"""What a gauge makes of a pressure: noise, steps, and a deadband (always there, wells.md; no fault)."""

from typing import Any, Final

import numpy as np

from models.engine.compiled import compiled
from models.simulator.kinds import SIGNALS

DEADBAND: Final = 0.25  # units: a smaller move is not reported ...
HEARTBEAT_MS: Final = 600_000  # ... for at most so long
FLOW_STEP: Final = 1.0
LINE_NOISE_PSI: Final = 0.3

#: What a historian last heard of each signal.
REPORTED: Final = np.dtype([("value", "f8"), ("at_ms", "i8")])


def first_reported() -> Any:
    """Shape (signals,): nothing was heard yet."""
    state = np.zeros(len(SIGNALS), REPORTED)
    state["value"] = np.nan
    return state


@compiled
def report(values: Any, at_ms: Any, steps: Any, reported: Any) -> None:
    """Replace ``values`` (n x signals) by what is reported of them: rounded to ``steps``, held within the deadband."""
    for j in range(values.shape[1]):
        last = reported[j]
        for i in range(values.shape[0]):
            value = values[i, j]
            if value != value:
                continue
            value = np.round(np.round(value / steps[j]) * steps[j], 2)
            if abs(value - last.value) < DEADBAND and at_ms[i] - last.at_ms < HEARTBEAT_MS:
                value = last.value
            else:
                last.value = value
                last.at_ms = at_ms[i]
            values[i, j] = value
