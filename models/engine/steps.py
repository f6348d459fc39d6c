"""The steps over a run of readings, one behind the other. Compiled as a whole they are called twice a run: a stack's own
feature, which is Python, comes in between.

Arrays of state, of views, of models and of what is fixed come as bundles (:mod:`models.engine.bundle`), what is found goes
into the two blocks of :class:`models.engine.verdicts.Verdicts`. Each takes the readings from ``first`` up to a stop.
"""

from typing import Any

import numpy as np

from models.engine.alerting import judge
from models.engine.compiled import compiled
from models.engine.intake import bring, take_in
from models.engine.quality import check_quality
from models.engine.refits import find_due
from models.engine.scoring import look_up, pick, speak
from models.engine.verdicts import cut
from models.engine.views.look import look, noted
from models.engine.window import roll


@compiled
def take_in_and_check(
    fixed: Any,
    state: Any,
    slot: Any,  # n
    offset: Any,  # n
    time_ms: Any,  # n
    tag: Any,  # n
    values: Any,  # n x v
    quality: Any,  # n x v
    own_quality: Any,  # n x s: scratch, kept between calls for one run
    ints: Any,
    floats: Any,
    views: int,
    first: int,
    limit: int,
) -> tuple[int, int]:
    """Intake, and what can be believed. Returns where the intake stopped, and its slot: see :func:`take_in`."""
    rules, signals = fixed.rules[0], fixed.places.shape[0]
    found = cut(ints, floats, slot.shape[0], signals, state.reference.shape[1], views)
    if first == 0:
        bring(values, quality, fixed.places, found.signals, own_quality)
        found.time_ms[:] = time_ms
    stop, settled = take_in(
        slot[:limit], offset, found.time_ms, tag, fixed.own_tag, found.signals, own_quality, state.core, state.pairing,
        state.tag_value, state.tag_quality, state.tag_ms, state.tag_offset, state.ring_ms, state.ring_signal, state.recent,
        rules.pair_tolerance_ms, rules.pair_stale_ms, rules.lateness, first, found.kind, found.sequence, found.partner,
    )  # fmt: skip
    believed = found.believed[first:stop]
    believed[:] = found.signals[first:stop]
    check_quality(
        slot[first:stop], found.sequence[first:stop], found.time_ms[first:stop], fixed.pressure, believed,
        found.kind[first:stop], state.ring_signal, state.quality,
    )  # fmt: skip
    return stop, settled


@compiled
def _roll(rules: Any, state: Any, slot: Any, feature: Any, found: Any, first: int, stop: int) -> Any:
    """The windows; what they held, and the machines' references and spreads."""
    n, features = stop - first, feature.shape[1]
    held, own = np.zeros((n, features), np.int64), np.full((n, features, 2), np.nan)
    found.feature[first:stop] = feature
    roll(
        slot[first:stop], found.sequence[first:stop], found.kind[first:stop], feature, rules.span_ms, state.ring_ms,
        state.ring_feature, state.window_length, state.window_valid, state.window_sorted, state.reference, state.spread,
        found.median[first:stop], held, own,
    )  # fmt: skip
    return held, own


@compiled
def _look_up(state: Any, models: Any, slot: Any, own: Any, found: Any, first: int, stop: int) -> Any:
    """Raw scores and surprises (n x k) and expected bands (n x k x 2) by the models in force."""
    median = found.median[first:stop]
    n, features = median.shape
    raw, surprise, expected = np.empty((n, features)), np.empty((n, features)), np.empty((n, features, 2))
    look_up(
        slot[first:stop], found.kind[first:stop], median, own, state.core, state.model_index, models.edges, models.scores,
        models.surprises, models.start, models.length, models.low, models.high, raw, surprise, expected,
    )  # fmt: skip
    return raw, surprise, expected


@compiled
def _speak(
    rules: Any, held: Any, ready: Any, of_feature: Any, raw: Any, expected: Any, found: Any, first: int, stop: int
) -> None:
    """Which feature speaks for each reading, and what of it is told."""
    kind, driver, surprise = found.kind[first:stop], found.driver[first:stop], found.surprise[first:stop]
    speak(kind, held, rules.least_valid, ready, of_feature, surprise, driver)
    pick(
        kind, driver, raw, expected, found.together[first:stop], found.raw[first:stop], found.expected[first:stop], surprise
    )  # fmt: skip


@compiled
def _decide(rules: Any, state: Any, slot: Any, offset: Any, found: Any, first: int, stop: int) -> None:
    """Verdicts, alerts, refits, and which model was in force."""
    slots, time_ms, kind = slot[first:stop], found.time_ms[first:stop], found.kind[first:stop]
    sequence = found.sequence[first:stop]
    judge(
        slots, offset[first:stop], time_ms, kind, sequence, found.median[first:stop], found.surprise[first:stop],
        found.driver[first:stop], state.core, state.alarm, state.ring_verdict, state.recent, rules.anomalous_at,
        rules.open_after, rules.close_at_share, rules.close_after, rules.cool_down_ms, rules.cool_down_readings,
        found.verdict[first:stop], found.alert[first:stop], found.opened_offset[first:stop], found.happened[first:stop],
    )  # fmt: skip
    due = found.due[first:stop]
    due[:] = 0
    if rules.first_fit > 0:
        find_due(slots, time_ms, sequence, state.core, rules.first_fit, due)
    for i in range(first, stop):
        machine = state.core[slot[i]]
        found.model_index[i] = state.model_index[slot[i]]
        found.model_since[i] = machine.model_since
        found.rung[i] = machine.rung
        found.late[i] = 0


@compiled
def judge_by_forest(
    fixed: Any,
    state: Any,
    models: Any,
    slot: Any,
    offset: Any,
    feature: Any,
    ints: Any,
    floats: Any,
    first: int,
    stop: int,
) -> None:
    """All steps behind the feature (n x k of those from ``first`` to ``stop``), with the forest alone."""
    rules = fixed.rules[0]
    found = cut(ints, floats, slot.shape[0], fixed.places.shape[0], feature.shape[1], 0)
    held, own = _roll(rules, state, slot, feature, found, first, stop)
    raw, surprise, expected = _look_up(state, models, slot, own, found, first, stop)
    found.together[first:stop] = np.nan
    ready = found.sequence[first:stop] >= rules.warm_up
    _speak(rules, held, ready, surprise, raw, expected, found, first, stop)
    _decide(rules, state, slot, offset, found, first, stop)


@compiled
def judge_by_views(
    fixed: Any,
    state: Any,
    models: Any,
    views: Any,
    slot: Any,
    offset: Any,
    feature: Any,
    ints: Any,
    floats: Any,
    first: int,
    stop: int,
) -> None:
    """All steps behind the feature, with all views."""
    rules, weights, features = fixed.rules[0], fixed.weights, feature.shape[1]
    found = cut(ints, floats, slot.shape[0], fixed.places.shape[0], features, weights.shape[0])
    held, own = _roll(rules, state, slot, feature, found, first, stop)
    raw, surprise, expected = _look_up(state, models, slot, own, found, first, stop)
    n = stop - first
    forest, learned = np.empty((n, features), np.uint8), np.empty(n, np.int64)
    for i in range(n):
        for k in range(features):
            forest[i, k] = noted(surprise[i, k])
    of_feature = np.empty((n, features))
    look(
        slot[first:stop], found.sequence[first:stop], found.kind[first:stop], found.time_ms[first:stop],
        found.median[first:stop], own, forest, state.ring_ms, state.ring_signal, state.ring_feature, state.ring_view,
        views.viewed, views.long_length, views.values, views.means, views.week,
        views.counts, views.table, views.pending, views.short_length, views.short_valid, views.short_sorted,
        views.wide_length, views.wide_valid, views.wide_sorted, views.median_before, weights, rules.gather_ms,
        rules.memory_ms, rules.decades, views.slow, views.gathered, views.centre, views.scale, views.axes, views.limit,
        views.said, views.said_together, found.views[first:stop], of_feature, found.together[first:stop], learned,
    )  # fmt: skip
    for i in range(n):
        for k in range(features):
            of_feature[i, k] = (
                max(of_feature[i, k] - rules.share, 0.0) if of_feature[i, k] == of_feature[i, k] else np.nan
            )
    _speak(rules, held, learned >= rules.warm_up, of_feature, raw, expected, found, first, stop)
    _decide(rules, state, slot, offset, found, first, stop)


@compiled
def roll_on(fixed: Any, state: Any, slot: Any, feature: Any, ints: Any, floats: Any, first: int, stop: int) -> Any:
    """Before a detector that is Python: the windows. Returns what they held (n x k)."""
    found = cut(ints, floats, slot.shape[0], fixed.places.shape[0], feature.shape[1], 0)
    held, _ = _roll(fixed.rules[0], state, slot, feature, found, first, stop)
    return held


@compiled
def decide(fixed: Any, state: Any, slot: Any, offset: Any, ints: Any, floats: Any, first: int, stop: int) -> None:
    """Behind such a detector: verdicts and alerts."""
    found = cut(ints, floats, slot.shape[0], fixed.places.shape[0], state.reference.shape[1], 0)
    _decide(fixed.rules[0], state, slot, offset, found, first, stop)
