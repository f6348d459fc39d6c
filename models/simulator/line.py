"""Line pressure: the same for all wells of an area but for a constant, with the area's upsets on top."""

import numpy as np

from models.simulator.schedule import HOUR_MS, Event, Floats, Ints
from models.simulator.wells import Area

UPSET_SHARE = 0.4  # of the line pressure, at strength 1


def usual_line_pressure(area: Area, at_ms: Ints) -> Floats:
    """psi at each moment: a daily swing and a slower one."""
    hours = at_ms / HOUR_MS
    daily = area.daily_swing_psi * np.sin(2 * np.pi * hours / 24 + area.phases[0])
    slow = area.slow_swing_psi * np.sin(2 * np.pi * hours / area.slow_period_h + area.phases[1])
    return np.asarray(area.line_psi + daily + slow, np.float64)


def upset_pressure(area: Area, upset: Event, at_ms: Ints) -> Floats:
    """psi that ``upset`` adds at each moment."""
    return upset.level(at_ms) * (UPSET_SHARE * area.line_psi)
