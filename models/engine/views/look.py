"""The step of the views: each reading through all of them, scored before it is learnt."""

from typing import Any, Final

import numpy as np

from models.engine.codes import SCORABLE
from models.engine.compiled import compiled
from models.engine.views.daily import note_day
from models.engine.views.names import FOREST
from models.engine.views.remembered import LONG, remember
from models.engine.views.scores import mean_of_the_moment, score_by_memory, score_by_windows, short_mean
from models.engine.views.state import MEAN, PENDING, SILENT, SILENT_TOGETHER, STRIDE, TALLIES, TOGETHER_STEPS
from models.engine.views.tally import HIGHEST, MEAN_ENDS, RAW_ENDS, TABLE_STEPS, fade, mean_bin, raw_bin, tabulate
from models.engine.views.together import distance, make_reference, short_means, slow_means, surprise_together
from models.engine.window import advance

#: In the ring's note of a reading: the views did not learn from it; they did, and there was no forest.
UNSEEN: Final = 255
NO_FOREST: Final = 254
#: Steps of a forest's surprise in that note.
STEPS: Final = 20.0

#: A mean this surprising is left out of the next reference, which is gathered so many times as slowly as the first one and
#: thrown away if more than this share had to be left out.
_BEYOND: Final = 3.0
_RENEW: Final = 28
_LEFT_OUT_SHARE: Final = 0.1
#: A reference of slow means starts after so many of its rows' times.
_SETTLE_ROWS: Final = 40


@compiled
def noted(forest: float) -> int:
    """A forest's surprise as the ring notes it."""
    return round(forest * STEPS) if forest == forest else NO_FOREST


@compiled
def look(
    slot: Any,  # n
    sequence: Any,  # n
    kind: Any,  # n
    time_ms: Any,  # n
    median: Any,  # n x k
    own: Any,  # n x k x 2: reference and spread of the machine's first window, NaN before
    forest: Any,  # n x k: what the forest says, in STEPS; NO_FOREST
    ring_ms: Any,
    ring_signal: Any,
    ring_feature: Any,
    ring_view: Any,  # rows x history x k, out: what is needed to learn a reading again
    viewed: Any,
    long_length: Any,
    values: Any,  # rows x k x 2 LONG: the long history
    short_means_of: Any,  # the same of its short means
    week: Any,
    counts: Any,
    table: Any,
    pending: Any,
    short_length: Any,
    short_valid: Any,
    short_sorted: Any,
    wide_length: Any,
    wide_valid: Any,
    wide_sorted: Any,
    median_before: Any,
    weights: Any,  # VIEWS: what each counts in their mean
    gather_ms: int,  # between two rows of a reference; 0: every reading
    memory_ms: int,  # of the slow means; 0: short means
    decades: float,
    slow: Any,
    gathered: Any,
    centre: Any,
    scale: Any,
    axes: Any,
    limit: Any,
    said: Any,
    said_together: Any,
    surprises: Any,  # n x k x VIEWS, out; NaN where a view has nothing to say
    mean: Any,  # n x k, out: surprise of their weighted mean
    together: Any,  # n, out: surprise of all signals together; NaN without a reference
    learned: Any,  # n, out: readings the views had learnt from before this one
) -> None:
    """Score and learn. Several signals are also looked at together; a single one has nothing to be together with."""
    history, features, signals, lateness = ring_ms.shape[1], median.shape[1], ring_signal.shape[2], said.shape[1]
    raw = np.empty(MEAN)
    means = np.empty(centre.shape[1])
    for i in range(slot.shape[0]):
        surprises[i] = np.nan
        mean[i] = np.nan
        together[i] = np.nan
        s = slot[i]
        learned[i] = viewed[s].learned
        if sequence[i] < 0:
            continue
        q = sequence[i]
        at = q % history
        advance(s, q, 0, ring_ms, ring_feature, short_length, short_valid, short_sorted)
        advance(s, q, 0, ring_ms, ring_feature, wide_length, wide_valid, wide_sorted)
        if kind[i] != SCORABLE:
            for k in range(features):
                ring_view[s, at, k] = UNSEEN
                median_before[s, k] = median[i, k]
            continue
        machine = viewed[s]
        place = machine.pending_length
        for k in range(features):
            ring_view[s, at, k] = forest[i, k]
            value = np.float32(ring_feature[s, at, k])
            ring = ring_feature[s, :, k]
            short, today = short_mean(ring, q), mean_of_the_moment(ring, q)
            spread = own[i, k, 1]
            for v in range(TALLIES):
                pending[s, k, v, place] = -1
            said[s, q % lateness, k] = SILENT
            if spread == spread:
                raw[:] = np.nan
                held = min(long_length[s, k], LONG)
                score_by_windows(
                    ring, q, median_before[s, k], short_sorted[s, k], short_valid[s, k], wide_sorted[s, k],
                    wide_valid[s, k], spread, raw,
                )  # fmt: skip
                score_by_memory(
                    value, short, today, median[i, k], time_ms[i], values[s, k], short_means_of[s, k], held, week[s, k], raw,
                )  # fmt: skip
                total = 0.0
                for v in range(MEAN):
                    if raw[v] == raw[v]:
                        b = raw_bin(raw[v] / spread)
                        pending[s, k, v, place] = b
                        said[s, q % lateness, k, v] = table[s, k, v, b]
                        surprises[i, k, v] = table[s, k, v, b] / TABLE_STEPS
                        total += weights[v] * surprises[i, k, v]
                if forest[i, k] != NO_FOREST:
                    surprises[i, k, FOREST] = forest[i, k] / STEPS
                    total += weights[FOREST] * surprises[i, k, FOREST]
                b = mean_bin(total / weights.sum())
                said[s, q % lateness, k, MEAN] = table[s, k, MEAN, b]
                mean[i, k] = table[s, k, MEAN, b] / TABLE_STEPS
                pending[s, k, MEAN, place] = b
            if machine.learned % STRIDE == 0:
                length = long_length[s, k]
                remember(values[s, k], length, value)
                remember(short_means_of[s, k], length, short)
                long_length[s, k] = length + 1
            newest_day = note_day(week[s, k], machine.newest_day, time_ms[i], today)
            if k == features - 1:
                machine.newest_day = newest_day
            median_before[s, k] = median[i, k]

        machine.learned += 1
        machine.pending_length += 1
        if machine.pending_length == PENDING or (machine.learned <= 64 and machine.learned % 8 == 0):
            _count(counts[s], table[s], pending[s], machine.pending_length)
            machine.pending_length = 0

        said_together[s, q % lateness] = SILENT_TOGETHER
        if signals > 1:
            if memory_ms > 0:
                slow_means(ring_signal[s, at], time_ms[i], machine.slow_ms, memory_ms, slow[s], means)
                machine.slow_ms = time_ms[i]
            else:
                short_means(ring_signal[s], q, means)
            if machine.has_reference == 1:
                reached = distance(means, centre[s], scale[s], axes[s])
                said_together[s, q % lateness] = round(
                    surprise_together(reached, limit[s], decades, HIGHEST) * TOGETHER_STEPS
                )
                together[i] = said_together[s, q % lateness] / TOGETHER_STEPS
            if _is_turn(machine, time_ms[i], gather_ms):
                _gather(machine, means, together[i] >= _BEYOND, gathered[s])
                if machine.gathered == gathered.shape[1]:
                    limit[s] = make_reference(gathered[s].astype(np.float64), centre[s], scale[s], axes[s])
                    machine.has_reference = 1
                    machine.gathered = 0
                    machine.left_out = 0


@compiled
def _is_turn(machine: Any, time_ms: int, gather_ms: int) -> bool:
    """Whether this reading's means are to be a row of a reference. A later one is gathered more slowly than the first."""
    times = _RENEW if machine.has_reference == 1 else 1
    if gather_ms == 0:
        machine.skipped += 1
        if machine.skipped < times:
            return False
        machine.skipped = 0
        return True
    if machine.gather_at_ms == 0:  # slow means have to settle first
        machine.gather_at_ms = time_ms + _SETTLE_ROWS * gather_ms
    if time_ms < machine.gather_at_ms:
        return False
    machine.gather_at_ms = time_ms + gather_ms * times
    return True


@compiled
def _gather(machine: Any, means: Any, beyond: bool, gathered: Any) -> None:
    """Keep the means, unless the reference in force finds them anomalous; start again when that is too often."""
    if beyond:
        machine.left_out += 1
        if machine.left_out > _LEFT_OUT_SHARE * gathered.shape[0]:
            machine.gathered = 0
            machine.left_out = 0
        return
    for j in range(means.shape[0]):
        gathered[machine.gathered, j] = means[j]
    machine.gathered += 1


@compiled
def _count(counts: Any, table: Any, pending: Any, length: int) -> None:
    """Count what has gathered and tabulate anew."""
    for k in range(counts.shape[0]):
        for v in range(TALLIES):
            for i in range(length):
                b = pending[k, v, i]
                if b >= 0:
                    counts[k, v, b] += np.float32(1.0)
            fade(counts[k, v])
            tabulate(counts[k, v], MEAN_ENDS if v == MEAN else RAW_ENDS, table[k, v])
