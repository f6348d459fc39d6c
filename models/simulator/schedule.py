"""When things happen: for each well and day the events and defects that start in it.

A plan depends on the seed, the well and the day only, never on readings already made, so the truth can be told without
making any. Days are counted from the fleet's start.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.simulator.kinds import (
    CASING,
    DUPLICATE_SHARE,
    EARLY,
    EVENT,
    EVENT_KINDS,
    FLOW,
    FROZEN_H,
    FROZEN_PER_TAG_DAY,
    GAP_H,
    LINE,
    SENTINELS,
    SIGNALS,
    SPIKE_PSI,
    SPIKE_SHARE,
    TUBING,
    UNIT_FLIP_FACTORS,
    UNIT_FLIP_H,
    UNIT_FLIPS_PER_DAY,
    EventKind,
)
from models.simulator.rates import Rates
from models.simulator.seeding import AREA_EVENTS, DEFECTS, EVENTS, chance
from models.simulator.wells import Area, Well

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

_WHOLE_AREA = tuple(kind for kind in EVENT_KINDS if kind.of_area)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a well or to one of its sensors. Times in milliseconds since the fleet's start."""

    kind: str
    start_ms: int
    onset_ms: int
    end_ms: int
    strength: float  # the level it reaches, 0.6-1
    signal: int | None = None  # of a sensor's event
    sign: int = 1  # a drift's direction

    def level(self, at_ms: Ints) -> Floats:
        """How far it has come at each moment, 0 to ``strength``."""
        risen = (at_ms - self.start_ms + 1) / (self.onset_ms + 1)
        return np.where((at_ms >= self.start_ms) & (at_ms < self.end_ms), np.minimum(1.0, risen) * self.strength, 0.0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A defect that lasts: ``frozen``, ``unit_flip`` or ``gap``. Times in milliseconds since the fleet's start."""

    kind: str
    start_ms: int
    end_ms: int
    signal: int | None = None
    factor: float = 1.0  # of a unit flip
    shuffled: bool = False  # whether what was missed comes out of order


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What starts in one day of one well. Readings are counted from the day's start."""

    day: int
    events: tuple[Event, ...]
    stretches: tuple[Stretch, ...]
    missing: tuple[Ints, Ints, Floats]  # reading, signal, what stands there instead (NaN: nothing)
    spikes: tuple[Ints, Ints, Floats]  # reading, signal, psi added
    duplicates: tuple[Ints, Ints]  # reading, how many intervals later it comes again


def well_days(seed: int, well: Well, rates: Rates) -> Iterator[DayPlan]:
    """Plans of one well, day after day without end. One event at a time: what would start during another does not."""
    kinds = [kind for kind in EVENT_KINDS if well.lift in kind.lifts and not kind.of_area]
    busy_until_ms = -1
    day = 0
    while True:
        rng = chance(seed, well.index, EVENTS, day)
        drawn = _draw_events(rng, kinds, day, rates)
        if well.index < rates.early_wells:
            early = _early_event(rng, well, rates)
            if early.start_ms // DAY_MS == day:
                drawn = [early, *drawn]
            elif day < early.start_ms // DAY_MS:
                drawn = []
        events = []
        for event in drawn:
            if event.start_ms >= busy_until_ms:
                events.append(event)
                busy_until_ms = event.end_ms
        # Of their own, so that the events are the same whatever the defects' rates.
        rng = chance(seed, well.index, DEFECTS, day)
        yield DayPlan(
            day,
            tuple(events),
            _draw_stretches(rng, well, day, rates),
            _draw_missing(rng, well, rates),
            _draw_spikes(rng, well, rates),
            _draw_duplicates(rng, well, rates),
        )
        day += 1


def area_events(seed: int, area: Area, day: int, rates: Rates) -> tuple[Event, ...]:
    """Events that start in ``day`` and meet all wells of the area that can have them."""
    rng = chance(seed, area.index, AREA_EVENTS, day)
    return tuple(_draw_events(rng, _WHOLE_AREA, day, rates))


def _draw_events(rng: np.random.Generator, kinds: Sequence[EventKind], day: int, rates: Rates) -> list[Event]:
    events = []
    counts = rng.poisson([kind.per_year / 365 * rates.factor(kind.name) for kind in kinds])
    for kind, count in zip(kinds, counts.tolist(), strict=True):
        for _ in range(count):
            start_ms = day * DAY_MS + int(rng.integers(DAY_MS))
            event = _draw_event(rng, kind, start_ms)
            if start_ms >= rates.quiet_ms:
                events.append(event)
    return sorted(events, key=lambda event: event.start_ms)


def _draw_event(rng: np.random.Generator, kind: EventKind, start_ms: int) -> Event:
    onset_ms = int(rng.uniform(*kind.onset_h) * HOUR_MS)
    hold_ms = int(rng.uniform(*kind.hold_h) * HOUR_MS)
    signal = int(rng.choice((CASING, TUBING, LINE, FLOW), p=(0.35, 0.35, 0.15, 0.15))) if kind.of_sensor else None
    strength, sign = float(rng.uniform(0.6, 1.0)), int(rng.choice((-1, 1)))
    return Event(kind.name, start_ms, onset_ms, start_ms + onset_ms + hold_ms, strength, signal, sign)


def _early_event(rng: np.random.Generator, well: Well, rates: Rates) -> Event:
    kinds = EARLY[well.lift]
    kind = EVENT[kinds[well.index % len(kinds)]]
    start_ms = rates.quiet_ms + well.index * rates.early_step_ms
    quick_ms = min(int(kind.onset_h[0] * HOUR_MS), 30 * 60_000)
    hold_ms = int(rng.uniform(3, 8) * HOUR_MS)
    return Event(kind.name, start_ms, quick_ms, start_ms + quick_ms + hold_ms, 1.0)


def _draw_stretches(rng: np.random.Generator, well: Well, day: int, rates: Rates) -> tuple[Stretch, ...]:
    def span(hours: tuple[float, float]) -> tuple[int, int]:
        start_ms = day * DAY_MS + int(rng.integers(DAY_MS))
        return start_ms, start_ms + int(rng.uniform(*hours) * HOUR_MS)

    found = [
        Stretch("frozen", *span(FROZEN_H), signal=signal)
        for signal, frozen in enumerate(rng.random(len(SIGNALS)) < FROZEN_PER_TAG_DAY * rates.factor("frozen"))
        if frozen
    ]
    if rng.random() < UNIT_FLIPS_PER_DAY * rates.factor("unit_flip"):
        found.append(Stretch("unit_flip", *span(UNIT_FLIP_H), factor=float(rng.choice(UNIT_FLIP_FACTORS))))
    found.extend(
        Stretch("gap", *span(GAP_H), shuffled=bool(rng.random() < 0.5))
        for _ in range(rng.poisson(well.gaps_per_day * rates.factor("gap")))
    )
    return tuple(found)


def _readings_a_day(well: Well) -> int:
    return 86_400 // well.interval_s


def _draw_places(rng: np.random.Generator, well: Well, share: float) -> tuple[Ints, Ints]:
    """Which of the day's values, as (reading, signal), each with probability ``share``."""
    size = _readings_a_day(well) * len(SIGNALS)
    count = int(rng.binomial(size, min(1.0, share)))
    places = rng.integers(0, size, count)
    return places // len(SIGNALS), places % len(SIGNALS)


def _draw_missing(rng: np.random.Generator, well: Well, rates: Rates) -> tuple[Ints, Ints, Floats]:
    readings, signals = _draw_places(rng, well, well.missing_share * rates.factor("missing"))
    written = np.where(rng.random(len(readings)) < 0.5, np.nan, rng.choice(SENTINELS, len(readings)))
    return readings, signals, written


def _draw_spikes(rng: np.random.Generator, well: Well, rates: Rates) -> tuple[Ints, Ints, Floats]:
    readings, signals = _draw_places(rng, well, SPIKE_SHARE * rates.factor("spike"))
    sizes = rng.uniform(*SPIKE_PSI, len(readings)) * rng.choice((-1.0, 1.0), len(readings))
    return readings, signals, sizes


def _draw_duplicates(rng: np.random.Generator, well: Well, rates: Rates) -> tuple[Ints, Ints]:
    size = _readings_a_day(well)
    count = int(rng.binomial(size, min(1.0, DUPLICATE_SHARE * rates.factor("duplicate"))))
    return rng.choice(size, count, replace=False), rng.integers(0, 2, count)
