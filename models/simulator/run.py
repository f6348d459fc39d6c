"""One well in time: its physics, its gauges and the defects of its data, an hour at a time."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from models.simulator.defects import Arrived, spoil
from models.simulator.kinds import FLOW, PHYSICAL, SIGNALS, UPSET
from models.simulator.line import upset_pressure, usual_line_pressure
from models.simulator.plunger import DRAWS, STEP_S, run_plunger, start_plunger
from models.simulator.rates import Rates
from models.simulator.schedule import DAY_MS, HOUR_MS, DayPlan, Event, Floats, Ints, Stretch, well_days
from models.simulator.seeding import NOISE, SPIKING, chance
from models.simulator.sensors import FLOW_STEP, LINE_NOISE_PSI, first_reported, report
from models.simulator.steady import run_steady, start_steady
from models.simulator.wells import Well

STEPS: Final = 3600 // STEP_S  # of a chunk
CHUNKS_A_DAY: Final = DAY_MS // HOUR_MS
#: How long a well runs before the first reading, so that wells are not all at the start of a cycle.
_WARM_UP_H: Final = 12

_ROW: Final = {name: index for index, name in enumerate(PHYSICAL)}
_NO_LEVELS: Final = np.zeros((len(PHYSICAL), STEPS))
_NO_UPSET: Final = np.zeros(STEPS)
_STEP_MS: Final = np.arange(STEPS, dtype=np.int64) * (STEP_S * 1000)
_SPIKING_SHARE: Final = 0.1  # of a spiking sensor's values
_DRIFT_SHARE: Final = 0.25  # of the value at the start, at strength 1


class WellRun:
    """Makes one well's readings, hour after hour."""

    def __init__(self, seed: int, well: Well, rates: Rates) -> None:
        self.well = well
        self._seed = seed
        self._rng = chance(seed, well.index, NOISE)
        self._days = well_days(seed, well, rates)
        self._plan: DayPlan | None = None
        self._events: list[Event] = []
        self._stretches: list[Stretch] = []
        self._reported = first_reported()
        self._frozen_at: dict[tuple[str, int | None, int], float] = {}
        self._last = np.full(len(SIGNALS), np.nan)
        self._steps = np.array([well.step_psi, well.step_psi, well.step_psi, FLOW_STEP])
        self._every = well.interval_s // STEP_S
        n = STEPS // self._every
        self._noise = np.tile([well.noise_psi, well.noise_psi, LINE_NOISE_PSI], (n, 1))
        self._physics = well.physics.reshape(1)
        line_psi = well.area.line_psi + well.line_offset_psi
        if well.lift == "plunger":
            self._state = start_plunger(well.physics, line_psi).reshape(1)
        else:
            self._state = start_steady(well.physics).reshape(1)
        for hour in range(-_WARM_UP_H, 0):
            self._move(_STEP_MS + hour * HOUR_MS + well.phase_ms, ())

    def chunk(self, hour: int, area_events: Sequence[Event]) -> Arrived:
        """Readings measured in ``hour`` (counted from the fleet's start; call it for each in turn)."""
        if hour % CHUNKS_A_DAY == 0:
            self._plan = next(self._days)
            self._events.extend(self._plan.events)
            self._stretches.extend(self._plan.stretches)
        assert self._plan is not None
        start_ms = hour * HOUR_MS
        self._events = [event for event in self._events if event.end_ms > start_ms]
        self._stretches = [stretch for stretch in self._stretches if stretch.end_ms > start_ms]
        end_ms = start_ms + HOUR_MS + self.well.interval_s * 1000
        happening = [event for event in (*self._events, *area_events) if event.start_ms < end_ms]

        truth = self._move(_STEP_MS + start_ms + self.well.phase_ms, happening)
        at_ms = _STEP_MS[:: self._every] + start_ms + self.well.phase_ms
        values = truth[:: self._every].copy()
        self._measure(values)
        for event in happening:
            if event.signal is not None:
                self._disturb(values, at_ms, event, hour)
        report(values, at_ms, self._steps, self._reported)
        return spoil(
            self._seed, self.well, self._plan, self._stretches, hour % CHUNKS_A_DAY, at_ms, values, self._frozen_at
        )

    def _move(self, at_ms: Ints, happening: Sequence[Event]) -> Floats:
        """Casing, tubing and line pressure and flow at each step, as they are."""
        well = self.well
        line = usual_line_pressure(well.area, at_ms) + well.line_offset_psi
        levels, upset_psi = _NO_LEVELS, _NO_UPSET
        physical = [event for event in happening if event.signal is None]
        if physical:
            levels, upset_psi = np.zeros_like(_NO_LEVELS), np.zeros_like(_NO_UPSET)
            for event in physical:
                row = _ROW[event.kind]
                levels[row] = np.maximum(levels[row], event.level(at_ms))
                if row == UPSET:
                    upset_psi = np.maximum(upset_psi, upset_pressure(well.area, event, at_ms))
            line = line + upset_psi
        draws = self._rng.standard_normal((STEPS, DRAWS))
        out = np.empty((STEPS, len(SIGNALS)))
        run = run_plunger if well.lift == "plunger" else run_steady
        run(self._physics, self._state, line, upset_psi, levels, draws, out)
        return out

    def _measure(self, values: Floats) -> None:
        """Add the gauges' noise; a closed valve's flow is exactly 0."""
        noise = self._rng.standard_normal(values.shape)
        values[:, :FLOW] += noise[:, :FLOW] * self._noise
        values[:, FLOW] *= 1 + noise[:, FLOW] * self.well.flow_noise_share

    def _disturb(self, values: Floats, at_ms: Ints, event: Event, hour: int) -> None:
        """Let ``event`` of a sensor act on its signal."""
        hit = (at_ms >= event.start_ms) & (at_ms < event.end_ms)
        column = values[:, event.signal]
        if not hit.any():
            return
        if event.kind == "sensor_dropped":
            column[hit] = np.nan
        elif event.kind == "sensor_drift":
            largest = max(10.0, _DRIFT_SHARE * abs(float(column[0])))
            column += event.sign * event.level(at_ms) * largest
        elif event.kind == "sensor_spiking":
            rng = chance(self._seed, self.well.index, SPIKING, hour)
            spikes = rng.random(len(column)) < _SPIKING_SHARE
            column += np.where(hit & spikes, event.strength * 200 * rng.standard_normal(len(column)), 0.0)
        else:
            key = (event.kind, event.signal, event.start_ms)
            column[hit] = self._frozen_at.setdefault(key, float(column[hit][0]))
