"""Readings looked at again, because a late one came between them. Nothing is learnt here.

The views cannot be asked anew about readings that they have learnt from: nothing is surprising twice. So what they said
then stands, changed by what the late reading changes: by the difference between the windows as they were and as they are
now, both measured by the tallies of now.
"""

from typing import Any, Final

import numpy as np

from models.engine.codes import SCORABLE
from models.engine.compiled import compiled
from models.engine.late import speak_of
from models.engine.state import UNLEARNT
from models.engine.views.look import NO_FOREST, STEPS, UNSEEN, noted
from models.engine.views.names import FOREST
from models.engine.views.remembered import LONG
from models.engine.views.scores import mean_of_the_moment, score_by_memory, score_by_windows, short_mean
from models.engine.views.state import MEAN, SILENT, SILENT_TOGETHER, TOGETHER_STEPS
from models.engine.views.tally import HIGHEST, TABLE_STEPS, mean_bin, raw_bin
from models.engine.views.together import distance, short_means, surprise_together
from models.engine.window import advance, refill

#: In place of a bin: the view has nothing to say.
NO_BIN: Final = -1
_HIGHEST: Final = int(HIGHEST * TABLE_STEPS)
_HIGHEST_FOREST: Final = int(HIGHEST * STEPS)


@compiled
def make_room(s: int, place: int, newest: int, said: Any, said_together: Any) -> None:
    """What is kept of machine ``s``'s readings moves up by one, from number ``place`` on."""
    lateness = said.shape[1]
    for to in range(newest, place, -1):
        said[s, to % lateness] = said[s, (to - 1) % lateness]
        said_together[s, to % lateness] = said_together[s, (to - 1) % lateness]


@compiled
def look_again(
    tail: Any,  # models.engine.late.Tail
    ring_ms: Any,
    ring_feature: Any,
    short_length: Any,
    short_valid: Any,
    short_sorted: Any,
    wide_length: Any,
    wide_valid: Any,
    wide_sorted: Any,
    median_before: Any,  # rows x k, out
    bins: Any,  # n x k x MEAN, out: of each view that follows from the windows, NO_BIN for all others
) -> None:
    """Go through the views' windows once more; they end where they were."""
    s, n = tail.slot[0], tail.sequence.shape[0]
    refill(s, tail.sequence[0], 0, ring_ms, ring_feature, short_length, short_valid, short_sorted)
    refill(s, tail.sequence[0], 0, ring_ms, ring_feature, wide_length, wide_valid, wide_sorted)
    raw = np.empty(MEAN)
    for i in range(n):
        q = tail.sequence[i]
        bins[i] = NO_BIN
        advance(s, q, 0, ring_ms, ring_feature, short_length, short_valid, short_sorted)
        advance(s, q, 0, ring_ms, ring_feature, wide_length, wide_valid, wide_sorted)
        for k in range(tail.median.shape[1]):
            spread = tail.own[i, k, 1]
            if tail.kind[i] == SCORABLE and spread == spread:
                raw[:] = np.nan
                before = tail.median_before[k] if i == 0 else tail.median[i - 1, k]
                score_by_windows(
                    ring_feature[s, :, k], q, before, short_sorted[s, k], short_valid[s, k], wide_sorted[s, k],
                    wide_valid[s, k], spread, raw,
                )  # fmt: skip
                for v in range(MEAN):
                    if raw[v] == raw[v]:
                        bins[i, k, v] = raw_bin(raw[v] / spread)
    median_before[s] = tail.median[n - 1]


@compiled
def _mean_of(said: Any, forest: int, weights: Any) -> int:
    """Bin of the weighted mean of what the views (``said``) and the forest say."""
    total = 0.0
    for v in range(MEAN):
        if said[v] != SILENT:
            total += weights[v] * (said[v] / TABLE_STEPS)
    if forest != NO_FOREST:
        total += weights[FOREST] * (forest / STEPS)
    return mean_bin(total / weights.sum())


@compiled
def ask_about_late(
    tail: Any,  # the late reading is its first
    ring_ms: Any,
    ring_signal: Any,
    ring_feature: Any,
    ring_view: Any,
    viewed: Any,
    long_length: Any,
    values: Any,  # rows x k x 2 LONG: the long history
    short_means_of: Any,  # the same of its short means
    week: Any,
    table: Any,
    weights: Any,
    memory_ms: int,
    decades: float,
    centre: Any,
    scale: Any,
    axes: Any,
    limit: Any,
    said: Any,
    said_together: Any,
    bins: Any,  # k x MEAN: those of the views that follow from the windows
) -> None:
    """Let the views say what they make of a reading that they never learnt from. It is kept as what they said."""
    s, q = tail.slot[0], tail.sequence[0]
    at, place = q % ring_ms.shape[1], q % said.shape[1]
    said[s, place] = SILENT
    said_together[s, place] = SILENT_TOGETHER
    ring_view[s, at] = UNSEEN
    if tail.kind[0] != SCORABLE:
        return
    raw = np.empty(MEAN)
    for k in range(tail.median.shape[1]):
        ring_view[s, at, k] = noted(tail.forest[0, k])
        spread = tail.own[0, k, 1]
        if spread != spread:
            continue
        ring = ring_feature[s, :, k]
        raw[:] = np.nan
        score_by_memory(
            np.float32(ring[at]), short_mean(ring, q), mean_of_the_moment(ring, q), tail.median[0, k], tail.time_ms[0],
            values[s, k], short_means_of[s, k], min(long_length[s, k], LONG), week[s, k], raw,
        )  # fmt: skip
        for v in range(MEAN):
            b = raw_bin(raw[v] / spread) if raw[v] == raw[v] else bins[k, v]
            if b != NO_BIN:
                said[s, place, k, v] = table[s, k, v, b]
        said[s, place, k, MEAN] = table[s, k, MEAN, _mean_of(said[s, place, k], ring_view[s, at, k], weights)]
    # Slow means have moved on by now: they say nothing of it.
    if ring_signal.shape[2] > 1 and memory_ms == 0 and viewed[s].has_reference == 1:
        means = np.empty(centre.shape[1])
        short_means(ring_signal[s], q, means)
        reached = distance(means, centre[s], scale[s], axes[s])
        said_together[s, place] = round(surprise_together(reached, limit[s], decades, HIGHEST) * TOGETHER_STEPS)


@compiled
def _moved(said: int, now: int, before: int, highest: int) -> int:
    return min(max(said + now - before, 0), highest)


@compiled
def move_said(
    before: Any,  # tail of n readings
    bins_before: Any,  # n x k x MEAN
    after: Any,  # tail of n + 1, the late one in front
    bins: Any,  # n + 1 x k x MEAN
    table: Any,
    weights: Any,
    ring_view: Any,
    said: Any,
) -> None:
    """Change what views, forest and mean said of the readings after the late one by what that changed."""
    s = after.slot[0]
    for i in range(before.sequence.shape[0]):
        j = i + 1
        at, place = after.sequence[j] % ring_view.shape[1], after.sequence[j] % said.shape[1]
        if after.kind[j] != SCORABLE:
            continue
        for k in range(after.median.shape[1]):
            mine = said[s, place, k]
            mean_before = _mean_of(mine, ring_view[s, at, k], weights)
            for v in range(MEAN):
                b, was = bins[j, k, v], bins_before[i, k, v]
                if mine[v] != SILENT and b != NO_BIN and was != NO_BIN:
                    mine[v] = _moved(int(mine[v]), int(table[s, k, v, b]), int(table[s, k, v, was]), _HIGHEST)
            now, was = noted(after.forest[j, k]), noted(before.forest[i, k])
            if ring_view[s, at, k] != NO_FOREST and now != NO_FOREST and was != NO_FOREST:
                ring_view[s, at, k] = _moved(int(ring_view[s, at, k]), now, was, _HIGHEST_FOREST)
            if mine[MEAN] != SILENT:
                mean = _mean_of(mine, ring_view[s, at, k], weights)
                mine[MEAN] = _moved(
                    int(mine[MEAN]), int(table[s, k, MEAN, mean]), int(table[s, k, MEAN, mean_before]), _HIGHEST
                )


@compiled
def say(
    tail: Any,
    least_valid: int,
    warm_up: int,
    share: float,  # log10 of the number of features: with k of them a chance of p for each is one of k p for any
    ring_view: Any,
    ring_verdict: Any,
    viewed: Any,
    said: Any,
    said_together: Any,
) -> Any:
    """What is kept of what the views said, as :class:`models.engine.late.Said`."""
    s, n, features = tail.slot[0], tail.sequence.shape[0], tail.median.shape[1]
    of_feature, together = np.full((n, features), np.nan), np.full(n, np.nan)
    views = np.full((n, features, MEAN + 1), np.nan)
    ready = np.empty(n, np.bool_)
    learnt = viewed[s].learned
    for i in range(n - 1, -1, -1):
        at, place = tail.sequence[i] % ring_view.shape[1], tail.sequence[i] % said.shape[1]
        if ring_view[s, at, 0] != UNSEEN and ring_verdict[s, at] & UNLEARNT == 0:
            learnt -= 1
        ready[i] = learnt >= warm_up
        if tail.kind[i] != SCORABLE:
            continue
        if said_together[s, place] != SILENT_TOGETHER:
            together[i] = said_together[s, place] / TOGETHER_STEPS
        for k in range(features):
            mine = said[s, place, k]
            for v in range(MEAN):
                if mine[v] != SILENT:
                    views[i, k, v] = mine[v] / TABLE_STEPS
            if ring_view[s, at, k] != NO_FOREST and mine[MEAN] != SILENT:
                views[i, k, FOREST] = ring_view[s, at, k] / STEPS
            if mine[MEAN] != SILENT:
                of_feature[i, k] = max(mine[MEAN] / TABLE_STEPS - share, 0.0)
    return speak_of(tail, of_feature, ready, least_valid, views, together)
