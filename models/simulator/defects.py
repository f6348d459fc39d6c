"""What happens to readings between the gauge and the historian: defects of the data, not of the well."""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.simulator.kinds import LINE
from models.simulator.schedule import HOUR_MS, DayPlan, Floats, Ints, Stretch
from models.simulator.seeding import SHUFFLE, chance
from models.simulator.wells import Well

_BACKFILL_STEP_MS = 5  # a historian that is back sends what it kept so fast


@dataclass(frozen=True, slots=True)
class Arrived:
    """``n`` readings of one well. Times in milliseconds since the fleet's start."""

    stamp_ms: Ints  # n: what the device says
    arrival_ms: Ints  # n: not sorted
    values: Floats  # n x signals


def spoil(
    seed: int,
    well: Well,
    plan: DayPlan,
    stretches: Sequence[Stretch],
    hour: int,
    at_ms: Ints,
    values: Floats,
    frozen_at: MutableMapping[tuple[str, int | None, int], float],
) -> Arrived:
    """Readings measured in ``hour`` of the plan's day, with the defects planned for it. ``values`` are changed.

    ``frozen_at`` remembers what a frozen tag shows from one hour to the next.
    """
    n = len(at_ms)
    first = hour * n
    for stretch in stretches:
        hit = (at_ms >= stretch.start_ms) & (at_ms < stretch.end_ms)
        if stretch.kind == "frozen" and hit.any():
            key = (stretch.kind, stretch.signal, stretch.start_ms)
            values[hit, stretch.signal] = frozen_at.setdefault(key, float(values[hit, stretch.signal][0]))
        elif stretch.kind == "unit_flip":
            values[hit, : LINE + 1] = np.round(values[hit, : LINE + 1] * stretch.factor, 3)
    readings, signals, psi = plan.spikes
    here = (readings >= first) & (readings < first + n)
    values[readings[here] - first, signals[here]] += np.round(psi[here])
    readings, signals, written = plan.missing
    here = (readings >= first) & (readings < first + n)
    values[readings[here] - first, signals[here]] = written[here]

    arrival_ms = at_ms.copy()
    for stretch in stretches:
        if stretch.kind == "gap":
            _delay(seed, well, stretch, at_ms, arrival_ms)
    stamp_ms = at_ms + well.skew_ms
    again, later = plan.duplicates
    here = (again >= first) & (again < first + n)
    if not here.any():
        return Arrived(stamp_ms, arrival_ms, values)
    twice = again[here] - first
    return Arrived(
        np.concatenate((stamp_ms, stamp_ms[twice])),
        np.concatenate((arrival_ms, arrival_ms[twice] + later[here] * well.interval_s * 1000)),
        np.concatenate((values, values[twice])),
    )


def _delay(seed: int, well: Well, gap: Stretch, at_ms: Ints, arrival_ms: Ints) -> None:
    """Let what was measured in ``gap`` arrive after it, in order or not."""
    hit = (at_ms >= gap.start_ms) & (at_ms < gap.end_ms)
    if not hit.any():
        return
    interval_ms = well.interval_s * 1000
    place = (at_ms[hit] - gap.start_ms) // interval_ms
    if gap.shuffled:
        size = (gap.end_ms - gap.start_ms) // interval_ms + 1
        place = chance(seed, well.index, SHUFFLE, gap.start_ms // HOUR_MS).permutation(size)[place]
    # Gaps may overlap: then the later end counts.
    arrival_ms[hit] = np.maximum(arrival_ms[hit], gap.end_ms + place * _BACKFILL_STEP_MS)
