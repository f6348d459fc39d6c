"""What may happen to a well: events an engineer would name, and defects of the data (wells.md).

How often events come is engineering knowledge without a source (E): together about one a well and month, which is what
an operator of 5,000 wells could take. Rates of the defects are those of wells.md.
"""

from dataclasses import dataclass
from typing import Final, Literal

Lift = Literal["plunger", "gas", "rod"]
Category = Literal["event", "defect"]

LIFTS: Final[tuple[Lift, ...]] = ("plunger", "gas", "rod")

#: The signals of a simulated well, in the order of its values. Pressures in psi, flow in Mcf/d.
SIGNALS: Final = ("casing_pressure", "tubing_pressure", "line_pressure", "flow_rate")
CASING, TUBING, LINE, FLOW = range(4)


@dataclass(frozen=True, slots=True)
class EventKind:
    """One row of wells.md's table. Its level rises to its strength during the onset, then holds, then is gone."""

    name: str
    lifts: tuple[Lift, ...]
    per_year: float  # of one well, or of one area
    onset_h: tuple[float, float]
    hold_h: tuple[float, float]
    of_area: bool = False  # meets many wells at once
    of_sensor: bool = False  # one signal only; the well itself is well


_ALL: Final = LIFTS
EVENT_KINDS: Final = (
    EventKind("liquid_loading", ("plunger",), 2.0, (24, 336), (12, 48)),
    EventKind("slow_arrival", ("plunger",), 2.0, (1, 4), (6, 24)),
    EventKind("no_arrival", ("plunger",), 1.5, (0, 0), (3, 12)),
    EventKind("tubing_leak", ("plunger", "gas"), 0.3, (0.1, 72), (48, 240)),
    EventKind("casing_leak", ("plunger", "rod"), 0.2, (2, 48), (24, 120)),
    EventKind("freeze_off", _ALL, 1.0, (0.17, 1), (3, 18)),
    EventKind("paraffin", _ALL, 1.0, (72, 504), (48, 168)),
    EventKind("valve_stuck_open", ("plunger",), 0.7, (0, 0), (2, 12)),
    EventKind("valve_stuck_closed", _ALL, 1.0, (0, 0), (2, 24)),
    EventKind("heading", ("gas",), 2.0, (0.2, 1), (3, 24)),
    EventKind("line_pressure_upset", _ALL, 6.0, (0.08, 0.5), (1, 6), of_area=True),
    EventKind("compressor_trip", ("gas",), 4.0, (0.03, 0.1), (2, 8), of_area=True),
    EventKind("sensor_frozen", _ALL, 0.5, (0, 0), (12, 72), of_sensor=True),
    EventKind("sensor_drift", _ALL, 0.7, (24, 240), (24, 72), of_sensor=True),
    EventKind("sensor_spiking", _ALL, 0.5, (0, 0), (6, 48), of_sensor=True),
    EventKind("sensor_dropped", _ALL, 0.7, (0, 0), (1, 24), of_sensor=True),
)
EVENT: Final = {kind.name: kind for kind in EVENT_KINDS}

#: Events that change the well itself; their index is the row of a well's levels.
PHYSICAL: Final = tuple(kind.name for kind in EVENT_KINDS if not kind.of_sensor)
(
    LOADING,
    SLOW,
    NO_ARRIVAL,
    TUBING_LEAK,
    CASING_LEAK,
    FREEZE,
    PARAFFIN,
    STUCK_OPEN,
    STUCK_CLOSED,
    HEADING,
    UPSET,
    TRIP,
) = range(len(PHYSICAL))

#: The kinds that show soonest: what the first wells get when early events are asked for.
EARLY: Final[dict[Lift, tuple[str, ...]]] = {
    "plunger": ("valve_stuck_open", "no_arrival", "tubing_leak", "casing_leak", "valve_stuck_closed"),
    "gas": ("freeze_off", "tubing_leak"),
    "rod": ("valve_stuck_closed", "freeze_off"),
}

FROZEN_PER_TAG_DAY: Final = 0.005
FROZEN_H: Final = (1.0, 48.0)
MISSING_SHARE: Final = (0.001, 0.01)  # of a well's values
SENTINELS: Final = (-9999.0, 9999.0, 0.0, -1.0, 32767.0)
UNIT_FLIPS_PER_DAY: Final = 1 / 1000 / 30
UNIT_FLIP_H: Final = (6.0, 120.0)
UNIT_FLIP_FACTORS: Final = (6.895, 0.06895)  # psi read as kPa, as bar
SKEWED_BY_MINUTES: Final = 0.02  # of the wells
SKEWED_BY_AN_HOUR: Final = 0.002
SKEW_MINUTES: Final = (1, 15)
DUPLICATE_SHARE: Final = 0.005  # of readings
GAPS_PER_MONTH: Final = (1.0, 3.0)
GAP_H: Final = (0.5, 24.0)
SPIKE_SHARE: Final = 1 / 5000  # of values
SPIKE_PSI: Final = (50.0, 500.0)

DEFECT_NAMES: Final = ("frozen", "missing", "unit_flip", "clock_skew", "duplicate", "gap", "spike")
