"""One stack at work on all machines of a partition."""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.detectors import ONLINE
from models.engine.alerting import judge
from models.engine.batch import OTHER_TAG, WIDE, ReadingBatch
from models.engine.codes import FLEET, HELD, MISSING, OWN, SCORABLE, SEEN
from models.engine.codes import ONLINE as ONLINE_RUNG
from models.engine.ensemble import EnsembleScorer
from models.engine.intake import take_in
from models.engine.quality import check_quality
from models.engine.refits import find_due
from models.engine.scorers import ForestScorer, OnlineScorer, Rolled, Scorer
from models.engine.scoring import Lookups
from models.engine.settings import EngineSettings
from models.engine.state import ALARM, StackState
from models.engine.views.look import UNSEEN
from models.engine.window import advance, middle, roll
from models.stacks.base import Stack
from schemas.errors import BadSettings
from schemas.signals import PRESSURES
from schemas.training import ModelUpdate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What one stack thinks of a run of ``n`` readings, in columns; those SEEN or HELD have no label."""

    kind: Ints  # n: see models.engine.codes
    time_ms: Ints  # n: event time; of a pair the later one
    signals: Floats  # n x s: what the stack looked at
    feature: Floats  # n x k
    median: Floats  # n x k
    raw: Floats  # n
    surprise: Floats  # n
    driver: Ints  # n: index of the feature that drove the verdict
    expected: Floats  # n x 2: low and high
    verdict: Ints  # n
    alert: Ints  # n
    opened_offset: Ints  # n
    happened: Any  # n of ALARM: filled where an alert opened or closed
    partner: Ints  # n
    model_index: Ints  # n: model in force for that reading; -1: none
    model_since: Ints  # n
    rung: Ints  # n
    due: Ints  # n: why a refit is due; 0: it is not
    views: Floats | None  # n x k x VIEWS: surprise of each view, where the detector has views
    together: Floats | None  # n: surprise of all signals together

    @property
    def labelled(self) -> Ints:
        """Indices of the readings that get a label."""
        return np.flatnonzero((self.kind != SEEN) & (self.kind != HELD))


def _joined(columns: list[Any]) -> Any:
    return None if columns[0] is None else np.concatenate(columns)


#: All views, the forest among them.
ENSEMBLE: Final = "ensemble"
#: The forest alone. It and the ensemble's are fitted by a trainer; all others learn online.
FOREST: Final = "isolation_forest"


def choose_detector(name: str) -> str:
    """``name`` if there is such a detector; :class:`BadSettings` otherwise."""
    if name not in (ENSEMBLE, FOREST, *ONLINE):
        raise BadSettings(f"there is no detector {name!r}; there are {', '.join(sorted((ENSEMBLE, FOREST, *ONLINE)))}")
    return name


class StackEngine:
    """State and steps of one stack. All time is event time; nothing random, no clock."""

    def __init__(self, stack: Stack, vocabulary: tuple[str, ...], settings: EngineSettings) -> None:
        self.stack = stack
        self.settings = settings
        self.detector = choose_detector(settings.detectors.get(stack.name, stack.detector))
        self.span_ms = round((stack.window.span_s or 0.0) * 1000)
        self.state = StackState(stack, settings.history)
        self.lookups = Lookups(len(stack.feature_names))
        self._columns = [vocabulary.index(name) for name in stack.signals]
        self._own_tag = np.full(len(vocabulary) + 1, OTHER_TAG, np.int64)  # by the vocabulary's index; last: OTHER_TAG
        self._own_tag[self._columns] = np.arange(len(self._columns))
        self._pressure = np.array([name in PRESSURES for name in stack.signals])
        least_valid = max(1, round(stack.window.count * settings.least_valid_share))
        self.scorer: Scorer = self._make_scorer(least_valid)

    def _make_scorer(self, least_valid: int) -> Scorer:
        warm_up = self.settings.warm_up
        if self.detector == ENSEMBLE:
            return EnsembleScorer(self.state, self.lookups, least_valid, warm_up, self.stack.reference)
        if self.detector == FOREST:
            return ForestScorer(self.state, self.lookups, least_valid, warm_up or 0)
        return OnlineScorer(self.detector, self.state, self.span_ms, least_valid, warm_up or 0)

    def grow(self, rows: int) -> None:
        """Make room for at least ``rows`` machines."""
        self.state.grow(rows)
        self.scorer.grow(rows)

    @property
    def learns_online(self) -> bool:
        """Whether its detector learns as it goes and needs no trainer."""
        return isinstance(self.scorer, OnlineScorer)

    def step(self, batch: ReadingBatch) -> Verdicts:
        """Judge a run. How a stretch of readings is cut into runs makes no difference."""
        # Steps look back into the ring while a whole run has already been put there: it must not come round meanwhile.
        most = self.state.history // 4
        if len(batch) <= most or np.bincount(batch.slot).max() <= most:
            return self._step(batch)
        parts = [self._step(batch.part(at, at + most)) for at in range(0, len(batch), most)]
        return Verdicts(*(_joined([getattr(part, one.name) for part in parts]) for one in fields(Verdicts)))

    def _step(self, batch: ReadingBatch) -> Verdicts:
        n = len(batch)
        state, slot = self.state, batch.slot
        time_ms = batch.time_ms.copy()
        signals = np.ascontiguousarray(batch.values[:, self._columns])
        quality = np.ascontiguousarray(batch.quality[:, self._columns])
        tag = np.where(batch.tag == WIDE, WIDE, self._own_tag[batch.tag])
        kind, sequence, partner = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
        take_in(
            slot, batch.offset, time_ms, tag, signals, quality, state.core, state.pairing, state.tag_value,
            state.tag_quality, state.tag_ms, state.tag_offset, state.ring_ms, state.ring_signal,
            self.settings.pair_tolerance_ms, self.settings.pair_stale_ms, kind, sequence, partner,
        )  # fmt: skip

        measured = signals.copy()
        check_quality(
            slot, sequence, time_ms, self._pressure, signals, kind, state.ring_signal, state.quality
        )  # fmt: skip
        feature = self.stack.columns(signals)
        rolled = self._roll(slot, sequence, kind, time_ms, feature)
        scored = self.scorer.score(rolled)

        rules = self.stack.thresholds
        verdict, alert, opened = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
        happened = np.zeros(n, ALARM)
        judge(
            slot, batch.offset, time_ms, kind, sequence, rolled.median, scored.surprise, scored.driver, state.core,
            state.alarm, state.ring_alert, rules.anomalous_at, rules.open_after, rules.close_at_share, rules.close_after,
            round(rules.cool_down_s * 1000), rules.cool_down_readings, verdict, alert, opened, happened,
        )  # fmt: skip

        due = np.zeros(n, np.int64)
        if self.settings.refits and not self.learns_online:
            find_due(slot, time_ms, sequence, state.core, self.settings.first_fit, due)
        rung = np.full(n, ONLINE_RUNG) if self.learns_online else state.core["rung"][slot].astype(np.int64)
        return Verdicts(
            kind, time_ms, measured, feature, rolled.median, scored.raw, scored.surprise, scored.driver, scored.expected,
            verdict, alert, opened, happened, partner, state.model_index[slot], state.core["model_since"][slot], rung, due,
            scored.views, scored.together,
        )  # fmt: skip

    def _roll(self, slot: Ints, sequence: Ints, kind: Ints, time_ms: Ints, feature: Floats) -> Rolled:
        """Move the windows on over a run."""
        n, k = feature.shape
        state = self.state
        median, held, own = np.empty((n, k)), np.zeros((n, k), np.int64), np.full((n, k, 2), np.nan)
        roll(
            slot, sequence, kind, feature, self.span_ms, state.ring_ms, state.ring_feature, state.window_length,
            state.window_valid, state.window_sorted, state.reference, state.spread, median, held, own,
        )  # fmt: skip
        return Rolled(slot, sequence, kind, time_ms, median, held, own)

    def adopt(self, slots: npt.NDArray[np.int64], update: ModelUpdate, since_offset: int) -> npt.NDArray[np.int64]:
        """Put a model in force for ``slots`` from ``since_offset`` on; the slots that changed.

        A fleet's model is for machines without a model of their own. The caller makes the changed state durable before
        it lets the engine see another reading of these machines.
        """
        core = self.state.core
        digest, rung = np.uint64(int(update.digest, 16)), OWN if update.rung == "own" else FLEET
        changes = (core["model"][slots] != digest) | (core["rung"][slots] != rung)
        if rung == FLEET:
            changes &= core["rung"][slots] != OWN
        changed: npt.NDArray[np.int64] = slots[changes]
        index = self.lookups.add(update)
        if len(changed):
            core["model"][changed] = digest
            core["rung"][changed] = rung
            core["model_since"][changed] = since_offset
            core["model_part"][changed] ^= 1
            self.state.model_index[changed] = index
        return changed

    def drop_unused_models(self) -> None:
        """Give the room of replaced models back, when it is worth it."""
        moved = self.lookups.drop_unused(self.state.model_index)
        if moved is not None:
            used = self.state.model_index >= 0
            self.state.model_index[used] = moved[self.state.model_index[used]]

    def rebuild(self, slot: int) -> None:
        """Compute what is not stored of a restored machine: features, sorted window, model index, detectors."""
        state = self.state
        readings = int(state.core[slot]["readings"])
        filled = min(readings, state.history)
        state.ring_feature[slot, :filled] = self.stack.columns(state.ring_signal[slot, :filled])
        state.window_length[slot] = 0
        state.window_valid[slot] = 0
        # A window of a span may once have been longer than it is now, never longer than `window` readings.
        since = min(self.scorer.known_until(slot), readings)
        for sequence in range(max(0, since - state.window), since):
            advance(
                slot, sequence, self.span_ms, state.ring_ms, state.ring_feature, state.window_length,
                state.window_valid, state.window_sorted,
            )  # fmt: skip
        model = int(state.core[slot]["model"])
        known = self.lookups.index(f"{model:016x}") if model else None
        state.model_index[slot] = -1 if known is None else known
        self._recall(slot, np.arange(since, readings))

    def _recall(self, slot: int, sequence: Ints) -> None:
        """Show a restored machine again what its detector's memory does not hold yet."""
        state = self.state
        at = sequence % state.history
        kind = np.where((state.ring_view[slot, at] == UNSEEN).all(axis=1), MISSING, SCORABLE)
        same = np.full(len(sequence), slot)
        rolled = self._roll(same, sequence, kind, state.ring_ms[slot, at], state.ring_feature[slot, at])
        self.scorer.recall(slot, rolled)

    def window_median(self, slot: int) -> list[float]:
        """The rolling medians of a machine as they stand."""
        state = self.state
        return [middle(state.window_sorted[slot, k], state.window_valid[slot, k]) for k in range(state.features)]
