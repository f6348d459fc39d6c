"""Wells that flow without cycles: gas lift (with heading) and rod pumps (with slow drift). wells.md, all E.

Pressures in psig, flow in Mcf/d, times in minutes. ``levels`` say how far each event has come, from 0 to 1.
"""

from typing import Any, Final

import numpy as np

from models.engine.compiled import compiled
from models.simulator.kinds import (
    CASING,
    CASING_LEAK,
    FLOW,
    FREEZE,
    HEADING,
    LINE,
    PARAFFIN,
    STUCK_CLOSED,
    TRIP,
    TUBING,
    TUBING_LEAK,
    UPSET,
)
from models.simulator.plunger import STEP_MIN

#: A well's parameters.
STEADY: Final = np.dtype(
    [
        ("casing_psi", "f8"),
        ("tubing_psi", "f8"),
        ("flow", "f8"),
        ("drift_psi", "f8"),  # standard deviation of its slow wandering
        ("drift_min", "f8"),  # how slow
        ("heading_psi", "f8"),  # amplitude in normal life
        ("heading_min", "f8"),  # period
        ("gas_lifted", "f8"),  # 1 or 0
    ]
)
STEADY_STATE: Final = np.dtype(
    [
        ("casing", "f8"),
        ("tubing", "f8"),
        ("flow", "f8"),
        ("casing_drift", "f8"),
        ("tubing_drift", "f8"),
        ("angle", "f8"),  # of the heading, radians
    ]
)


def start_steady(well: Any) -> Any:
    """A well that has been flowing for long."""
    state = np.zeros((), STEADY_STATE)
    state["casing"] = well["casing_psi"]
    state["tubing"] = well["tubing_psi"]
    state["flow"] = well["flow"]
    return state


@compiled
def run_steady(wells: Any, states: Any, line: Any, upset_psi: Any, levels: Any, draws: Any, out: Any) -> None:
    """Move the well on by ``n`` steps of 15 s. Arguments as in :func:`models.simulator.plunger.run_plunger`."""
    w = wells[0]
    s = states[0]
    keep = np.exp(-STEP_MIN / w.drift_min)
    shock = w.drift_psi * np.sqrt(1 - keep * keep)
    for i in range(line.shape[0]):
        lp = line[i]
        freeze = levels[FREEZE, i]
        paraffin = levels[PARAFFIN, i]
        upset = levels[UPSET, i]
        trip = levels[TRIP, i] * w.gas_lifted
        heading = levels[HEADING, i] * w.gas_lifted
        blocked = freeze >= 0.5 or levels[STUCK_CLOSED, i] > 0
        # The wandering is a first-order autoregression: E[x x'] falls with exp(-t / drift_min).
        s.casing_drift = keep * s.casing_drift + shock * draws[i, 0]
        s.tubing_drift = keep * s.tubing_drift + 0.5 * shock * draws[i, 1]
        s.angle = (s.angle + 2 * np.pi * STEP_MIN / w.heading_min) % (2 * np.pi)

        # -- where pressures and flow are going, and how fast (time constants in minutes)
        casing_goal = w.casing_psi + 0.3 * upset_psi[i] + 0.02 * w.casing_psi * paraffin
        tubing_goal = w.tubing_psi + 0.8 * upset_psi[i] + 40 * paraffin
        flow_goal = w.flow * (1 - 0.4 * upset) * (1 - 0.4 * paraffin) * (1 - min(1.0, 2 * freeze))
        flow_goal *= (1 - 0.4 * levels[TUBING_LEAK, i]) * (1 - 0.5 * levels[CASING_LEAK, i])
        casing_min, tubing_min = 20.0, 10.0
        if blocked:
            casing_goal = max(1.08 * w.casing_psi, w.tubing_psi + 60)
            tubing_goal = s.casing
            flow_goal = 0.0
            casing_min, tubing_min = 90.0, 30.0
        elif trip > 0:
            casing_goal += (lp + 60 - casing_goal) * trip
            tubing_goal += (lp + 2 - tubing_goal) * trip
            flow_goal *= 1 - 0.9 * trip
            casing_min = 40.0
        s.casing += (casing_goal - s.casing) * (1 - np.exp(-STEP_MIN / casing_min))
        s.tubing += (tubing_goal - s.tubing) * (1 - np.exp(-STEP_MIN / tubing_min))
        s.flow += (flow_goal - s.flow) * (1 - np.exp(-STEP_MIN / 3.0))

        # -- what the gauges see: heading swings around it, the tubing a quarter of a period behind
        swing = 0.0 if blocked else (w.heading_psi + 30 * paraffin * w.gas_lifted + 45 * heading) * (1 - trip)
        casing = s.casing + s.casing_drift + swing * np.sin(s.angle)
        tubing = s.tubing + s.tubing_drift + 0.5 * swing * np.sin(s.angle - np.pi / 2)
        leak = levels[CASING_LEAK, i]
        if leak > 0:
            casing -= 0.5 * leak * casing
            tubing -= 0.3 * leak * max(0.0, tubing - lp)
        casing = tubing + (casing - tubing) * (1 - levels[TUBING_LEAK, i])
        out[i, CASING] = max(0.0, casing)
        out[i, TUBING] = max(0.0, tubing)
        out[i, LINE] = lp
        out[i, FLOW] = max(0.0, s.flow * (1 + 0.01 * swing * np.sin(s.angle - np.pi / 2)))
