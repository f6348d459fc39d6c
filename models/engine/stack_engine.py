"""One stack at work on all machines of a partition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.detectors import ONLINE
from models.engine.alerting import judge
from models.engine.batch import OTHER_TAG, WIDE, ReadingBatch
from models.engine.codes import FLEET, MISSING, OWN, SCORABLE
from models.engine.codes import ONLINE as ONLINE_RUNG
from models.engine.ensemble import EnsembleScorer
from models.engine.intake import take_in
from models.engine.late import PLACED_IF_NEWER_BELOW, LateReading, Placing
from models.engine.quality import check_quality
from models.engine.refits import find_due
from models.engine.scorers import ForestScorer, OnlineScorer, Rolled
from models.engine.scoring import Lookups
from models.engine.settings import EngineSettings
from models.engine.state import ALARM, StackState
from models.engine.verdicts import Verdicts, join_verdicts
from models.engine.views.look import UNSEEN
from models.engine.window import middle, refill, roll
from models.stacks.base import Stack
from schemas.errors import BadSettings
from schemas.signals import PRESSURES
from schemas.training import ModelUpdate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]


#: All views, the forest among them.
ENSEMBLE: Final = "ensemble"
#: The forest alone. It and the ensemble's are fitted by a trainer; all others learn online.
FOREST: Final = "isolation_forest"


def choose_detector(name: str) -> str:
    """``name`` if there is such a detector; :class:`BadSettings` otherwise."""
    if name not in (ENSEMBLE, FOREST, *ONLINE):
        raise BadSettings(f"there is no detector {name!r}; there are {', '.join(sorted((ENSEMBLE, FOREST, *ONLINE)))}")
    return name


@dataclass(frozen=True, slots=True)
class _Come:
    """``n`` readings as they came, for one stack; the intake fills the last three."""

    time_ms: Ints
    tag: Ints  # index of the signal it brings, WIDE or OTHER_TAG
    signals: Floats  # n x s
    quality: Bytes  # n x s
    kind: Ints
    sequence: Ints
    partner: Ints

    @classmethod
    def of(cls, batch: ReadingBatch, columns: list[int], own_tag: Ints) -> "_Come":
        n = len(batch)
        return cls(
            batch.time_ms.copy(),
            np.where(batch.tag == WIDE, WIDE, own_tag[batch.tag]),
            np.ascontiguousarray(batch.values[:, columns]),
            np.ascontiguousarray(batch.quality[:, columns]),
            np.empty(n, np.int64),
            np.empty(n, np.int64),
            np.empty(n, np.int64),
        )

    def part(self, first: int, stop: int) -> "_Come":
        """Views of some of them."""
        return _Come(*(getattr(self, name)[first:stop] for name in self.__slots__))

    def late(self, batch: ReadingBatch, i: int) -> LateReading:
        """One that the intake found a place for."""
        return LateReading(
            int(batch.slot[i]), int(self.sequence[i]), int(batch.offset[i]), int(self.partner[i]), int(self.time_ms[i]),
            int(self.kind[i]), self.signals[i],
        )  # fmt: skip


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
        self.scorer = self._make_scorer(least_valid)
        # An online detector has learnt what came after: it cannot take a reading in between.
        rescorer = None if isinstance(self.scorer, OnlineScorer) else self.scorer
        self._placing = None if rescorer is None else Placing(self.state, self.lookups, rescorer, stack, self.span_ms)

    def _make_scorer(self, least_valid: int) -> EnsembleScorer | ForestScorer | OnlineScorer:
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
            return join_verdicts(self._step(batch))
        parts = [batch.part(at, at + most) for at in range(0, len(batch), most)]
        return join_verdicts([judged for part in parts for judged in self._step(part)])

    def _step(self, batch: ReadingBatch) -> list[Verdicts]:
        """Verdicts on a run, in parts: a late reading is put in its place when all before it has been judged."""
        state, n, placing = self.state, len(batch), self._placing
        lateness = 0 if placing is None else PLACED_IF_NEWER_BELOW
        come = _Come.of(batch, self._columns, self._own_tag)
        parts, first = [], 0
        while True:
            stop, settled = take_in(
                batch.slot, batch.offset, come.time_ms, come.tag, come.signals, come.quality, state.core, state.pairing,
                state.tag_value, state.tag_quality, state.tag_ms, state.tag_offset, state.ring_ms, state.ring_signal,
                state.recent, self.settings.pair_tolerance_ms, self.settings.pair_stale_ms, lateness, first,
                come.kind, come.sequence, come.partner,
            )  # fmt: skip
            if stop > first or n == 0:
                judged = self._judge(batch.slot[first:stop], batch.offset[first:stop], come.part(first, stop))
                if placing is not None and settled >= 0:
                    judged = judged.with_revised(placing.settle(settled, int(batch.offset[stop - 1])))
                parts.append(judged)
            if placing is None or stop == n:
                return parts
            if settled < 0:
                parts.append(placing.put(come.late(batch, stop)))
                stop += 1
            first = stop

    def _judge(self, slot: Ints, offset: Ints, come: "_Come") -> Verdicts:
        """The steps after the intake, over readings in order."""
        state, n, kind, time_ms, sequence, signals = (
            self.state, len(slot), come.kind, come.time_ms, come.sequence, come.signals
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
            slot, offset, time_ms, kind, sequence, rolled.median, scored.surprise, scored.driver, state.core,
            state.alarm, state.ring_verdict, state.recent, rules.anomalous_at, rules.open_after, rules.close_at_share,
            rules.close_after, round(rules.cool_down_s * 1000), rules.cool_down_readings, verdict, alert, opened,
            happened,
        )  # fmt: skip

        due = np.zeros(n, np.int64)
        if self.settings.refits and not self.learns_online:
            find_due(slot, time_ms, sequence, state.core, self.settings.first_fit, due)
        rung = np.full(n, ONLINE_RUNG) if self.learns_online else state.core["rung"][slot].astype(np.int64)
        return Verdicts(
            kind, time_ms, measured, feature, rolled.median, scored.raw, scored.surprise, scored.driver, scored.expected,
            verdict, alert, opened, happened, come.partner, state.model_index[slot], state.core["model_since"][slot],
            rung, due, scored.views, scored.together, np.zeros(n, bool),
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
        in_use = self.state.model_index[: self.state.rows]
        moved = self.lookups.drop_unused(in_use)
        if moved is not None:
            used = in_use >= 0
            in_use[used] = moved[in_use[used]]

    def rebuild(self, slots: Sequence[int]) -> None:
        """Compute what is not stored of restored machines: features, sorted windows, model index, detectors."""
        state = self.state
        of, sequence = [], []
        for slot in slots:
            readings = int(state.core[slot]["readings"])
            filled = min(readings, state.history)
            state.ring_feature[slot, :filled] = self.stack.columns(state.ring_signal[slot, :filled])
            since = self.scorer.resume(slot)
            refill(
                slot, since, self.span_ms, state.ring_ms, state.ring_feature, state.window_length, state.window_valid,
                state.window_sorted,
            )  # fmt: skip
            model = int(state.core[slot]["model"])
            known = self.lookups.index(f"{model:016x}") if model else None
            state.model_index[slot] = -1 if known is None else known
            of.append(np.full(readings - since, slot))
            sequence.append(np.arange(since, readings))
        if slots:
            self._recall(np.concatenate(of), np.concatenate(sequence))

    def _recall(self, slot: Ints, sequence: Ints) -> None:
        """Show restored machines again what their detectors' memory does not hold yet."""
        state = self.state
        at = sequence % state.history
        kind = np.where((state.ring_view[slot, at] == UNSEEN).all(axis=1), MISSING, SCORABLE)
        self.scorer.recall(self._roll(slot, sequence, kind, state.ring_ms[slot, at], state.ring_feature[slot, at]))

    def window_median(self, slot: int) -> list[float]:
        """The rolling medians of a machine as they stand."""
        state = self.state
        return [middle(state.window_sorted[slot, k], state.window_valid[slot, k]) for k in range(state.features)]
