"""A plunger-lift well: shut in, plunger rising, after-flow, and again (the state machine of wells.md).

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
    LINE,
    LOADING,
    NO_ARRIVAL,
    PARAFFIN,
    SLOW,
    STUCK_CLOSED,
    STUCK_OPEN,
    TUBING,
    TUBING_LEAK,
    UPSET,
)

STEP_S: Final = 15
STEP_MIN: Final = STEP_S / 60

OFF, RISE, AFTERFLOW = range(3)

#: A well's parameters.
PLUNGER: Final = np.dtype(
    [
        ("depth_ft", "f8"),
        ("fall_min", "f8"),  # until the plunger is back at the bottom
        ("off_min", "f8"),
        ("most_off_min", "f8"),
        ("after_min", "f8"),
        ("close_below_flow", "f8"),  # 0: closes by time
        ("peak_flow", "f8"),
        ("spike_psi", "f8"),
        ("slug_psi", "f8"),  # liquid left after an arrival
        ("build_min", "f8"),
        ("reservoir_psi", "f8"),
        ("load_factor_limit", "f8"),
        ("miss_below", "f8"),
    ]
)
#: Where it stands in its cycle.
PLUNGER_STATE: Final = np.dtype(
    [
        ("phase", "i8"),
        ("minutes", "f8"),  # in this phase
        ("off_min", "f8"),  # how long this shut-in shall last
        ("speed", "f8"),  # of the plunger, ft/min
        ("climbed_ft", "f8"),
        ("misses", "i8"),  # whether this rise shall fail
        ("peak_flow", "f8"),  # of this cycle
        ("flow", "f8"),
        ("casing", "f8"),
        ("tubing", "f8"),
        ("slug", "f8"),  # liquid standing in the tubing, psi
    ]
)

#: Normal deviates that a step may use.
DRAWS: Final = 3

_MOST_RISE_MIN: Final = 45.0
_STALL_FT_PER_MIN: Final = 200.0
_BASE_FLOW: Final = 60.0
_MOST_SLUG: Final = 45.0


def start_plunger(well: Any, line_psi: float) -> Any:
    """A well that has just been shut in."""
    state = np.zeros((), PLUNGER_STATE)
    state["phase"] = OFF
    state["off_min"] = well["off_min"]
    state["slug"] = well["slug_psi"]
    state["casing"] = line_psi + 20 + well["slug_psi"]
    state["tubing"] = line_psi + 3
    return state


@compiled
def run_plunger(wells: Any, states: Any, line: Any, upset_psi: Any, levels: Any, draws: Any, out: Any) -> None:
    """Move the well on by ``n`` steps of 15 s.

    ``wells`` and ``states`` hold one record each; the state is changed in place. ``line`` and ``upset_psi`` (n): line
    pressure, and how much of it is an upset; ``levels`` (kinds x n); ``draws`` (n x 3) standard normal;
    ``out`` (n x 4): casing, tubing and line pressure and flow at the end of each step.
    """
    w = wells[0]
    s = states[0]
    for i in range(line.shape[0]):
        loading = levels[LOADING, i]
        freeze = levels[FREEZE, i]
        paraffin = levels[PARAFFIN, i]
        upset = levels[UPSET, i]
        lp = line[i]
        blocked = freeze >= 0.5 or levels[STUCK_CLOSED, i] > 0
        stuck_open = levels[STUCK_OPEN, i] > 0
        # What the flow is reduced to by all that hampers it.
        ability = (1 - 0.5 * loading * (1 + 0.3 * draws[i, 2])) * (1 - 0.4 * paraffin) * (1 - 0.4 * upset)
        ability *= (1 - min(1.0, 2 * freeze)) * (1 - 0.4 * levels[TUBING_LEAK, i]) * (1 - 0.5 * levels[CASING_LEAK, i])
        ability = max(0.0, ability * (1 - 0.2 * levels[SLOW, i]))
        flowing_casing = lp - 0.3 * upset_psi[i] + 20 + s.slug + 25 * paraffin + 5 * levels[SLOW, i]
        s.minutes += STEP_MIN

        # -- does it go over into another phase?
        if blocked:
            if s.phase != OFF:
                s.phase = OFF
                s.minutes = 0.0
                s.off_min = w.off_min
        elif stuck_open:
            if s.phase != AFTERFLOW:
                s.phase = AFTERFLOW
                s.minutes = 0.0
        elif s.phase == OFF:
            above_line = s.casing - lp
            # wells.md: the load factor has no meaning where casing and line pressure are within 5 psi.
            load_factor = (s.casing - s.tubing) / above_line if above_line > 5 else 1.0
            rested = s.minutes >= s.off_min and s.minutes >= w.fall_min
            ready = load_factor < w.load_factor_limit and s.tubing > lp + 5
            if (rested and ready) or s.minutes >= max(w.most_off_min, s.off_min):
                s.phase = RISE
                s.minutes = 0.0
                s.climbed_ft = 0.0
                s.speed = 850 * (1 - min(1.0, load_factor)) * (1 + 0.05 * draws[i, 0])
                s.speed *= (1 - 0.65 * levels[SLOW, i]) * (1 - 0.3 * paraffin)
                s.misses = 1 if draws[i, 1] < w.miss_below else 0
                s.peak_flow = w.peak_flow * (1 + 0.06 * draws[i, 2])
        elif s.phase == RISE:
            if s.speed >= _STALL_FT_PER_MIN and s.misses == 0 and levels[NO_ARRIVAL, i] == 0:
                s.climbed_ft += s.speed * STEP_MIN
            if s.climbed_ft >= w.depth_ft:
                s.phase = AFTERFLOW
                s.minutes = 0.0
                s.slug = w.slug_psi * max(0.3, 1 + 0.15 * draws[i, 0]) + 22 * loading
                s.tubing += w.spike_psi * max(0.3, 1 + 0.15 * draws[i, 1]) * max(0.2, ability)
                s.flow = s.peak_flow * ability
            elif s.minutes >= _MOST_RISE_MIN:
                s.phase = OFF
                s.minutes = 0.0
                s.off_min = 2 * w.off_min
                s.slug = min(_MOST_SLUG, s.slug + 4)
        else:
            weak = s.minutes >= 5 and s.flow < w.close_below_flow
            # A well that closes by critical flow is given up at half an hour above its usual time.
            longest = w.after_min if w.close_below_flow == 0 else w.after_min + 30
            if weak or s.minutes >= longest:
                s.phase = OFF
                s.minutes = 0.0
                s.off_min = w.off_min * max(0.5, 1 + 0.05 * draws[i, 0])

        # -- how pressures and flow move within the phase
        if s.phase == OFF:
            s.casing += (w.reservoir_psi - s.casing) * (1 - np.exp(-STEP_MIN / w.build_min))
            if blocked:  # what stood in the tubing is pushed back into the rock
                s.slug *= np.exp(-STEP_MIN / 60.0)
            standing = s.slug * (1 - 0.7 * paraffin)
            s.tubing += (s.casing - standing - s.tubing) * (1 - np.exp(-STEP_MIN / 0.9))
            s.flow = 0.0
        elif s.phase == RISE:
            s.casing += (flowing_casing - s.casing) * (1 - np.exp(-STEP_MIN / 40.0))
            s.tubing += (lp + 3 - s.tubing) * (1 - np.exp(-STEP_MIN / 0.4))
            s.flow = 0.3 * s.peak_flow * ability * np.exp(-s.minutes / 8)
        else:
            s.casing += (flowing_casing - s.casing) * (1 - np.exp(-STEP_MIN / 10.0))
            plugged = 2 * freeze * max(0.0, s.casing - s.slug - lp - 3)
            s.tubing += (lp + 3 + 35 * paraffin + plugged - s.tubing) * (1 - np.exp(-STEP_MIN / 0.5))
            base = _BASE_FLOW * ability * (np.exp(-s.minutes / 240) if stuck_open else 1.0)
            s.flow = base + (s.flow - base) * np.exp(-STEP_MIN / 12)
            refill = 0.05 * (1 + 3 * loading)
            if s.flow < max(w.close_below_flow, _BASE_FLOW) or stuck_open:
                refill *= 4
            s.slug = min(_MOST_SLUG, s.slug + refill * STEP_MIN)

        # -- what the gauges see of it: leaks change the pressures, not the cycle
        casing = s.casing
        tubing = s.tubing
        leak = levels[CASING_LEAK, i]
        if leak > 0:
            drop = 0.5 * leak * (casing - 14.7)
            casing -= drop
            tubing -= drop
            if s.phase == OFF:  # the casing bleeds down first, the tubing follows
                casing -= 25 * leak * np.exp(-s.minutes / 8)
        casing = tubing + (casing - tubing) * (1 - levels[TUBING_LEAK, i])
        out[i, CASING] = max(0.0, casing)
        out[i, TUBING] = max(0.0, tubing)
        out[i, LINE] = lp
        out[i, FLOW] = s.flow
