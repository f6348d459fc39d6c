"""A late reading is put in its place, and the readings after it are judged again.

What stays as it was: alerts, which nobody wants to be paged for afterwards, all that detectors have learnt, and labels of
values that were not believed.

A label that a late reading changed is issued again at once for the first few late readings in a row. A long backfill would
change the same labels again and again: then they are issued at every doubling of its length, and when the next reading in
order of time comes.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from models.engine.codes import ANOMALOUS, DOUBTED, NORMAL, OPEN, OPENED, QUIET, SCORABLE, UNSCORED, WARMING
from models.engine.compiled import compiled
from models.engine.intake import full_offset, note_offsets
from models.engine.lookups import Lookups
from models.engine.scoring import look_up, pick, speak
from models.engine.state import (
    ALERT_MASK,
    ALERT_SHIFT,
    KIND_SHIFT,
    LATENESS,
    LEFT_OUT,
    UNLEARNT,
    StackState,
)
from models.engine.verdicts import Floats, Ints, Revised, Verdicts, cut
from models.engine.window import middle, refill, roll
from models.stacks.base import Stack

#: A late reading has its place if fewer readings than this are newer: so it, the one before it and, when the next one comes,
#: all that it changed are still known by their offsets.
PLACED_IF_NEWER_BELOW: Final = LATENESS - 2
#: For so many late readings in a row, changed labels are issued with each.
_AT_ONCE: Final = 8
#: Late readings in a row are counted up to here.
_MOST_IN_A_ROW: Final = 32_769
#: Revisions of one label are counted up to here; further ones are not issued.
_MOST_REVISIONS: Final = 65_535


@dataclass(frozen=True, slots=True)
class LateReading:
    """One that has a place among those that came before it."""

    slot: int
    place: int  # the number it gets in its machine's history
    offset: int
    partner: int  # -1: none
    time_ms: int
    kind: int  # as the intake found it
    measured: Floats  # s


class Tail(NamedTuple):
    """``n`` readings in a row of one machine, up to its newest, with its windows as they are now."""

    slot: Any  # n: all the same
    sequence: Any  # n
    kind: Any  # n
    time_ms: Any  # n
    median_before: Any  # k: when the first of them came
    median: Any  # n x k
    held: Any  # n x k
    own: Any  # n x k x 2
    raw: Any  # n x k: by the model in force
    forest: Any  # n x k: surprise by it
    expected: Any  # n x k x 2


class Said(NamedTuple):
    """What a detector says of ``n`` readings."""

    kind: Any  # n: WARMING where it cannot say anything yet
    surprise: Any  # n
    driver: Any  # n
    raw: Any  # n
    expected: Any  # n x 2
    views: Any  # n x k x VIEWS; none of them where it has no views
    together: Any  # n


class Rescorer(Protocol):
    """How a detector scores readings again. It learns nothing by it."""

    def before(self, tail: Tail) -> Any:
        """Whatever it wants to remember of readings before a late one comes between them."""
        ...

    def rescore(self, before: Tail, remembered: Any, after: Tail) -> tuple[Said, Said]:
        """What it says of all of ``before``, and of all of ``after``, which has a late reading in front of these."""
        ...

    def stand(self, tail: Tail) -> Said:
        """What it says of readings, late ones having been taken into account."""
        ...

    def make_room(self, slot: int, place: int, newest: int) -> None:
        """What is kept of single readings moves up by one, from number ``place`` on."""
        ...


@compiled
def speak_of(tail: Any, of_feature: Any, ready: Any, least_valid: int, views: Any, together: Any) -> Any:
    """What is said of a tail by the surprise of each feature (n x k) and of all signals together (n)."""
    n = tail.sequence.shape[0]
    kind, surprise, driver = tail.kind.copy(), np.empty(n), np.empty(n, np.int64)
    raw, expected = np.empty(n), np.empty((n, 2))
    speak(kind, tail.held, least_valid, ready, of_feature, surprise, driver)
    pick(kind, driver, tail.raw, tail.expected, together, raw, expected, surprise)
    return Said(kind, surprise, driver, raw, expected, views, together)


class _Ring(NamedTuple):
    core: Any
    ring_ms: Any
    ring_signal: Any
    ring_feature: Any
    ring_verdict: Any
    ring_view: Any
    recent: Any


class _Window(NamedTuple):
    window_length: Any
    window_valid: Any
    window_sorted: Any
    reference: Any
    spread: Any


class _Models(NamedTuple):
    model_index: Any
    edges: Any
    scores: Any
    surprises: Any
    start: Any
    length: Any
    low: Any
    high: Any


@compiled
def _look_back(s: int, first: int, span_ms: int, ring: Any, window: Any, models: Any) -> Any:
    """The tail from reading number ``first`` on; the windows end where they were."""
    history, n = ring.ring_ms.shape[1], ring.core[s].readings - first
    features = ring.ring_feature.shape[2]
    refill(
        s, first, span_ms, ring.ring_ms, ring.ring_feature, window.window_length, window.window_valid,
        window.window_sorted,
    )  # fmt: skip
    median_before = np.empty(features)
    for k in range(features):
        median_before[k] = middle(window.window_sorted[s, k], window.window_valid[s, k])
    slot, sequence, kind, time_ms = (
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
    )
    feature, median, held = np.empty((n, features)), np.empty((n, features)), np.empty((n, features), np.int64)
    own = np.empty((n, features, 2))
    for i in range(n):
        at = (first + i) % history
        slot[i], sequence[i], time_ms[i] = s, first + i, ring.ring_ms[s, at]
        kind[i] = ring.ring_verdict[s, at] >> KIND_SHIFT
        if kind[i] == WARMING:  # it may be warm enough now
            kind[i] = SCORABLE
        feature[i] = ring.ring_feature[s, at]
    roll(
        slot, sequence, kind, feature, span_ms, ring.ring_ms, ring.ring_feature, window.window_length, window.window_valid,
        window.window_sorted, window.reference, window.spread, median, held, own,
    )  # fmt: skip
    raw, forest, expected = np.empty((n, features)), np.empty((n, features)), np.empty((n, features, 2))
    look_up(
        slot, kind, median, own, ring.core, models.model_index, models.edges, models.scores, models.surprises, models.start,
        models.length, models.low, models.high, raw, forest, expected,
    )  # fmt: skip
    return Tail(slot, sequence, kind, time_ms, median_before, median, held, own, raw, forest, expected)


@compiled
def _insert(
    s: int, place: int, offset: int, partner: int, time_ms: int, kind: int, measured: Any, feature: Any, ring: Any
) -> None:
    """Move machine ``s``'s readings from number ``place`` on up by one and put the late one there."""
    history, lateness = ring.ring_ms.shape[1], ring.recent.shape[1]
    machine = ring.core[s]
    for to in range(machine.readings, place, -1):
        a, b = to % history, (to - 1) % history
        ring.ring_ms[s, a] = ring.ring_ms[s, b]
        ring.ring_signal[s, a] = ring.ring_signal[s, b]
        ring.ring_feature[s, a] = ring.ring_feature[s, b]
        ring.ring_verdict[s, a] = ring.ring_verdict[s, b]
        ring.ring_view[s, a] = ring.ring_view[s, b]
        ring.recent[s, to % lateness] = ring.recent[s, (to - 1) % lateness]
    at = place % history
    ring.ring_ms[s, at] = time_ms
    ring.ring_signal[s, at] = measured
    ring.ring_feature[s, at] = feature
    note = ring.recent[s, place % lateness]
    note.offset = offset
    note.partner = offset - partner if partner >= 0 else 0
    note.opened = 0
    note.revision = 0
    note.changed = 0
    # It belongs to an alert that is open around it, and opens none.
    alert = QUIET
    if place > 0:
        before = ring.ring_verdict[s, (place - 1) % history] >> ALERT_SHIFT & ALERT_MASK
        if before in (OPENED, OPEN):
            alert = OPEN
            earlier = ring.recent[s, (place - 1) % lateness]
            distance = np.uint32(note.offset - earlier.offset)
            note.opened = np.uint32(earlier.opened + distance)
    left_out = LEFT_OUT if alert == OPEN else 0
    ring.ring_verdict[s, at] = left_out | (alert << ALERT_SHIFT) | UNLEARNT | (kind << KIND_SHIFT)
    machine.readings += 1
    note_offsets(machine, ring.recent[s], history)
    machine.late_in_a_row = min(machine.late_in_a_row + 1, _MOST_IN_A_ROW)


@compiled
def _differ(one: float, other: float) -> bool:
    return one != other and not (one != one and other != other)


@compiled
def _note_changes(s: int, before: Any, stood: Any, after: Any, said: Any, anomalous_at: float, recent: Any) -> bool:
    """Mark the readings whose labels show something else now; whether there is any that waits to be issued."""
    waiting = False
    for i in range(before.sequence.shape[0]):
        j = i + 1
        changed = stood.kind[i] != said.kind[j] or stood.driver[i] != said.driver[j]
        changed |= _differ(stood.surprise[i], said.surprise[j]) or _differ(stood.raw[i], said.raw[j])
        for edge in range(2):
            changed |= _differ(stood.expected[i, edge], said.expected[j, edge])
        for k in range(before.median.shape[1]):
            changed |= _differ(before.median[i, k], after.median[j, k])
            for v in range(said.views.shape[2]):  # they are shown of what is anomalous
                changed |= said.surprise[j] >= anomalous_at and _differ(stood.views[i, k, v], said.views[j, k, v])
        note = recent[s, after.sequence[j] % recent.shape[1]]
        for doubted in DOUBTED:
            changed &= said.kind[j] != doubted
        if changed and note.revision < _MOST_REVISIONS:
            note.changed = 1
        waiting |= note.changed != 0
    return waiting


@compiled
def _full_offsets(last: int, low: Any) -> Any:
    found = np.empty(low.shape[0], np.int64)
    for i in range(low.shape[0]):
        found[i] = full_offset(last, int(low[i]))
    return found


@compiled
def _find_verdicts(
    s: int, rows: Any, tail: Any, said: Any, anomalous_at: float, core: Any, model_index: Any, ring_feature: Any,
    ring_verdict: Any, recent: Any, ints: Any, floats: Any, signals: int,
) -> None:  # fmt: skip
    """Verdicts on ``rows`` (n) of a tail, into the two blocks of :class:`models.engine.verdicts.Verdicts` of n."""
    history, machine = ring_feature.shape[1], core[s]
    found = cut(ints, floats, rows.shape[0], signals, ring_feature.shape[2], said.views.shape[2])
    for i in range(rows.shape[0]):
        row = rows[i]
        q = tail.sequence[row]
        found.kind[i], found.time_ms[i], found.sequence[i] = said.kind[row], tail.time_ms[row], q
        found.feature[i], found.median[i] = ring_feature[s, q % history], tail.median[row]
        found.raw[i], found.surprise[i], found.driver[i] = said.raw[row], said.surprise[row], said.driver[row]
        found.expected[i], found.together[i] = said.expected[row], said.together[row]
        found.views[i] = said.views[row]
        found.verdict[i] = UNSCORED
        if said.kind[row] == SCORABLE:
            found.verdict[i] = ANOMALOUS if said.surprise[row] >= anomalous_at else NORMAL
        found.alert[i] = np.int64(ring_verdict[s, q % history]) >> ALERT_SHIFT & ALERT_MASK
        note = recent[s, q % recent.shape[1]]
        offset = full_offset(machine.last_offset, int(note.offset))
        found.opened_offset[i] = offset - np.int64(note.opened) if found.alert[i] != QUIET else -1
        found.partner[i] = offset - np.int64(note.partner) if note.partner > 0 else -1
        found.model_index[i], found.model_since[i] = model_index[s], machine.model_since
        found.rung[i], found.due[i], found.late[i] = machine.rung, 0, 0


class Placing:
    """Puts late readings of one stack in their places."""

    def __init__(self, state: StackState, lookups: Lookups, rescorer: Rescorer, stack: Stack, span_ms: int) -> None:
        self._state, self._lookups, self._rescorer, self._columns = state, lookups, rescorer, stack.columns
        self._anomalous_at, self._span_ms = stack.thresholds.anomalous_at, span_ms

    def put(self, late: LateReading) -> Verdicts:
        """Put it there; the verdict on it, and on those it changed the verdict of."""
        state, s = self._state, late.slot
        newest = int(state.core["readings"][s])
        # The oldest of those still known makes room for this reading, the one after it for the next.
        leaves = state.recent["changed"][s, [newest % LATENESS, (newest + 1) % LATENESS]].any()
        revised = [self.settle(s, late.offset)] if leaves else []
        before = self._look_back(s, late.place)
        remembered = self._rescorer.before(before)
        _insert(
            s, late.place, late.offset, late.partner, late.time_ms, late.kind, late.measured,
            self._columns(late.measured[None, :])[0], self._ring(),
        )  # fmt: skip
        self._rescorer.make_room(s, late.place, newest)
        state.moved_from[s] = min(int(state.moved_from[s]), late.place)
        after = self._look_back(s, late.place)
        stood, said = self._rescorer.rescore(before, remembered, after)
        if _note_changes(s, before, stood, after, said, self._anomalous_at, state.recent):
            state.core["waiting"][s] = 1

        verdict = self._verdicts(s, after, said, np.array([0]), late.measured[None, :])
        verdict.columns.late[0] = 1
        if verdict.verdict[0] == ANOMALOUS:
            state.ring_verdict[s, late.place % state.history] |= LEFT_OUT
        in_a_row = int(state.core["late_in_a_row"][s])
        if state.core["waiting"][s] and (in_a_row <= _AT_ONCE or in_a_row & (in_a_row - 1) == 0):
            revised.append(self.settle(s, late.offset))
        verdict.revised = revised
        return verdict

    def settle(self, s: int, offset: int) -> Revised:
        """Issue what waits, with the reading at ``offset``."""
        state = self._state
        places = np.arange(max(0, int(state.core["readings"][s]) - LATENESS), int(state.core["readings"][s]))
        first = int(places[np.argmax(state.recent["changed"][s, places % LATENESS] != 0)])
        tail = self._look_back(s, first)
        rows = np.flatnonzero(state.recent["changed"][s, tail.sequence % LATENESS])
        sequence = tail.sequence[rows]
        state.recent["changed"][s, sequence % LATENESS] = 0
        state.recent["revision"][s, sequence % LATENESS] += 1
        state.core["waiting"][s] = 0
        found = self._verdicts(
            s, tail, self._rescorer.stand(tail), rows, state.ring_signal[s, sequence % state.history]
        )
        n, revision = len(rows), state.recent["revision"][s, sequence % LATENESS].astype(np.int64)
        own = _full_offsets(state.core["last_offset"][s], state.recent["offset"][s, sequence % LATENESS])
        return Revised(np.full(n, offset), np.full(n, s), own, revision, found)

    def _verdicts(self, s: int, tail: Tail, said: Said, rows: Ints, signals: Floats) -> Verdicts:
        """Verdicts on some readings of a tail, with the alerts that are noted of them."""
        state = self._state
        found = Verdicts(len(rows), state.signals, state.features, said.views.shape[2])
        found.signals[:] = found.believed[:] = signals
        _find_verdicts(
            s, rows, tail, said, self._anomalous_at, state.core, state.model_index, state.ring_feature, state.ring_verdict,
            state.recent, found.ints, found.floats, state.signals,
        )  # fmt: skip
        return found

    def _look_back(self, s: int, first: int) -> Tail:
        state, models = self._state, self._lookups
        window = _Window(*(getattr(state, name) for name in _Window._fields))
        known = _Models(state.model_index, *(getattr(models, name) for name in _Models._fields[1:]))
        tail: Tail = _look_back(s, first, self._span_ms, self._ring(), window, known)
        return tail

    def _ring(self) -> _Ring:
        return _Ring(*(getattr(self._state, name) for name in _Ring._fields))
