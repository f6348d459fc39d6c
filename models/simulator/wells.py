"""Which wells there are: parameters drawn within the ranges of wells.md (F measured, V vendor, E experience)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.simulator.kinds import (
    GAPS_PER_MONTH,
    LIFTS,
    MISSING_SHARE,
    SKEW_MINUTES,
    SKEWED_BY_AN_HOUR,
    SKEWED_BY_MINUTES,
    Lift,
)
from models.simulator.plunger import PLUNGER
from models.simulator.rates import Rates
from models.simulator.seeding import AREA, WELL, chance
from models.simulator.steady import STEADY
from schemas.errors import BadSettings

WELLS_PER_AREA: Final = 25  # share a line, a facility and their troubles
LIFT_SHARES: Final[dict[Lift, float]] = {"plunger": 0.6, "gas": 0.2, "rod": 0.2}
INTERVALS_S: Final = (60, 15, 300, 900)  # E: 60 s for most, the others for the rest
INTERVAL_SHARES: Final = (0.7, 0.1, 0.12, 0.08)
CASING_STEPS_PSI: Final = (0.1, 0.25, 0.5, 1.0)
#: The standard normal deviate below which a plunger does not arrive, for 0, 5, 12 and 14 % of cycles.
MISSES: Final = (-99.0, -1.6449, -1.1750, -1.0803)
MISS_SHARES: Final = (0.6, 0.2, 0.1, 0.1)


@dataclass(frozen=True, slots=True)
class Area:
    """What the wells on one line share."""

    index: int
    line_psi: float
    daily_swing_psi: float
    slow_swing_psi: float
    slow_period_h: float
    phases: tuple[float, float]

    @property
    def name(self) -> str:
        """Name of the area in the truth."""
        return f"area-{self.index:03d}"


@dataclass(frozen=True, slots=True)
class Well:
    """One well, its sensors and the habits of its data."""

    index: int
    machine_id: str
    lift: Lift
    area: Area
    line_offset_psi: float
    physics: np.ndarray  # one record of PLUNGER or STEADY
    interval_s: int
    phase_ms: int  # when within its interval it is polled
    noise_psi: float
    flow_noise_share: float
    step_psi: float
    missing_share: float
    gaps_per_day: float
    skew_ms: int  # its clock is ahead by this


def draw_area(seed: int, index: int) -> Area:
    """Line pressure 60-100 or 200-310 psi, by basin (F)."""
    rng = chance(seed, index, AREA)
    line = rng.uniform(60, 100) if rng.random() < 0.7 else rng.uniform(200, 310)
    return Area(
        index,
        float(line),
        float(rng.uniform(0.5, 2.5)),
        float(rng.uniform(0.5, 2.0)),
        float(rng.uniform(30, 80)),
        (float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0, 2 * np.pi))),
    )


def draw_well(seed: int, index: int, kinds: tuple[Lift, ...], rates: Rates) -> Well:
    """Well ``index``; the same whatever other wells there are."""
    if not kinds or any(kind not in LIFTS for kind in kinds):
        raise BadSettings(f"kinds of wells are {', '.join(LIFTS)}, not {', '.join(kinds) or 'none'}")
    rng = chance(seed, index, WELL)
    shares = np.array([LIFT_SHARES[kind] if kind in kinds else 0.0 for kind in LIFTS])
    lift = LIFTS[int(rng.choice(len(LIFTS), p=shares / shares.sum()))]
    area = draw_area(seed, index // WELLS_PER_AREA)
    offset = float(rng.uniform(-3, 3))
    if lift == "plunger":
        physics = _draw_plunger(rng, area.line_psi + offset)
        noise = rng.uniform(0.2, 0.8)
    else:
        # E: these flow to a separator of low pressure, whatever the gas line has.
        area = draw_area_of_separator(area, rng)
        physics = (_draw_gas_lift if lift == "gas" else _draw_rod_pump)(rng, area.line_psi + offset)
        noise = rng.uniform(0.5, 2.0) if lift == "gas" else rng.uniform(0.2, 0.8)
    interval_s = int(rng.choice(INTERVALS_S, p=INTERVAL_SHARES))
    return Well(
        index=index,
        machine_id=f"well-{index + 1:04d}",
        lift=lift,
        area=area,
        line_offset_psi=offset,
        physics=physics,
        interval_s=interval_s,
        phase_ms=int(rng.integers(interval_s)) * 1000,
        noise_psi=float(noise),
        flow_noise_share=float(rng.uniform(0.01, 0.03)),
        step_psi=float(rng.choice(CASING_STEPS_PSI)),
        missing_share=float(np.exp(rng.uniform(*np.log(MISSING_SHARE)))),
        gaps_per_day=float(rng.uniform(*GAPS_PER_MONTH)) / 30,
        skew_ms=_draw_skew(rng, rates.factor("clock_skew")),
    )


def draw_area_of_separator(area: Area, rng: np.random.Generator) -> Area:
    """The same area with a separator of 60-100 psi in the line's place."""
    return Area(
        area.index,
        float(rng.uniform(60, 100)),
        area.daily_swing_psi,
        area.slow_swing_psi,
        area.slow_period_h,
        area.phases,
    )


def _draw_skew(rng: np.random.Generator, factor: float) -> int:
    u, minutes, sign = rng.random(), rng.integers(*SKEW_MINUTES, endpoint=True), rng.choice((-1, 1))
    if u < SKEWED_BY_AN_HOUR * factor:
        return int(sign) * 3_600_000
    if u < (SKEWED_BY_AN_HOUR + SKEWED_BY_MINUTES) * factor:
        return int(sign) * int(minutes) * 60_000
    return 0


def _draw_plunger(rng: np.random.Generator, line_psi: float) -> np.ndarray:
    """Depth, times and pressures of wells.md's plunger-lift table."""
    well = np.zeros((), PLUNGER)
    depth = rng.uniform(5000, 8000)
    fall_min = depth / rng.uniform(150, 500)
    by_critical_flow = rng.random() < 0.6
    after_min = rng.uniform(5, 15) if by_critical_flow else rng.uniform(20, 50)
    # F: shut in 23-152 min, 9-39 cycles a day; so the whole cycle stays under 155 min.
    off_min = min(max(np.exp(rng.uniform(*np.log((23, 152)))), fall_min), 155 - after_min - depth / 700)
    peak = rng.uniform(200, 600)
    slug = rng.uniform(2, 7)
    build_min = rng.uniform(2, 12) * 60
    # F: 0.1-0.3 psi/min, and the load while it flows is 20-40 psi, so it cannot build up by more than some 25 psi.
    build_psi_per_min = min(rng.uniform(0.1, 0.3), max(0.1, 25 / off_min))
    well["depth_ft"] = depth
    well["fall_min"] = min(fall_min, off_min)
    well["off_min"] = off_min
    well["most_off_min"] = 3 * off_min
    well["after_min"] = after_min
    well["close_below_flow"] = 60 + (peak - 60) * np.exp(-after_min / 12) if by_critical_flow else 0.0
    well["peak_flow"] = peak
    well["spike_psi"] = rng.uniform(10, 40)
    well["slug_psi"] = slug
    well["build_min"] = build_min
    well["reservoir_psi"] = line_psi + 20 + slug + build_psi_per_min * build_min
    well["load_factor_limit"] = rng.uniform(0.55, 0.7)
    well["miss_below"] = MISSES[int(rng.choice(len(MISSES), p=MISS_SHARES))]
    return well


def _draw_gas_lift(rng: np.random.Generator, line_psi: float) -> np.ndarray:
    """CP 600-1200, TP 80-300 psi, a little heading of 5-30 min in normal life (E)."""
    well = np.zeros((), STEADY)
    well["casing_psi"] = rng.uniform(600, 1150)
    well["tubing_psi"] = rng.uniform(max(90.0, line_psi + 15), 280)
    well["flow"] = rng.uniform(150, 800)
    well["drift_psi"] = rng.uniform(0.5, 2.0)
    well["drift_min"] = rng.uniform(20, 120)
    well["heading_psi"] = rng.uniform(0, 4)
    well["heading_min"] = rng.uniform(5, 30)
    well["gas_lifted"] = 1.0
    return well


def _draw_rod_pump(rng: np.random.Generator, line_psi: float) -> np.ndarray:
    """CP 20-150, TP 50-250 psi, slow drift; the load may be negative (E)."""
    well = np.zeros((), STEADY)
    well["casing_psi"] = rng.uniform(30, 140)
    well["tubing_psi"] = rng.uniform(max(60.0, line_psi + 10), 235)
    well["flow"] = rng.uniform(20, 150)
    well["drift_psi"] = rng.uniform(1.0, 3.0)
    well["drift_min"] = rng.uniform(12, 48) * 60
    well["heading_min"] = 10.0
    return well
