"""One stack at work on all machines of a process."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from models.detectors import ONLINE
from models.engine.batch import ReadingBatch
from models.engine.bundle import Bundled
from models.engine.codes import FLEET, MISSING, OWN, RUNGS, SCORABLE
from models.engine.ensemble import EnsembleScorer
from models.engine.late import PLACED_IF_NEWER_BELOW, LateReading, Placing
from models.engine.lookups import Lookups
from models.engine.rules import fixed
from models.engine.scorers import ForestScorer, OnlineScorer, Part, Rolled
from models.engine.settings import EngineSettings
from models.engine.state import StackState
from models.engine.steps import take_in_and_check
from models.engine.verdicts import Verdicts
from models.engine.views.look import UNSEEN
from models.engine.window import middle, refill, roll
from models.stacks.base import Stack
from schemas.errors import BadSettings
from schemas.training import ModelUpdate

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


class StackEngine:
    """State and steps of one stack. All time is event time; nothing random, no clock."""

    def __init__(self, stack: Stack, vocabulary: tuple[str, ...], settings: EngineSettings) -> None:
        self.stack = stack
        self.feature_names = stack.feature_names
        self.settings = settings
        self.detector = choose_detector(settings.detectors.get(stack.name, stack.detector))
        self.span_ms = round((stack.window.span_s or 0.0) * 1000)
        self.state = StackState(stack, settings.history)
        self.lookups = Lookups(len(self.feature_names))
        least_valid = max(1, round(stack.window.count * settings.least_valid_share))
        self.scorer = self._make_scorer(least_valid)
        # An online detector has learnt what came after: it cannot take a reading in between.
        rescorer = None if isinstance(self.scorer, OnlineScorer) else self.scorer
        self._placing = None if rescorer is None else Placing(self.state, self.lookups, rescorer, stack, self.span_ms)
        own = {
            "lateness": 0 if rescorer is None else PLACED_IF_NEWER_BELOW,
            "first_fit": settings.first_fit * self.asks_for_refits,
        }
        self._fixed = fixed(stack, vocabulary, settings, self.scorer.weights, {**self.scorer.rules, **own})
        self._bundled = Bundled(self.state, "core")

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

    def keep(self, kept: Ints) -> None:
        """Give up all machines but those in the slots ``kept``, which become the first ones in this order."""
        self.state.keep(kept)
        self.scorer.keep(kept)

    @property
    def asks_for_refits(self) -> bool:
        """Whether models of its machines come from a trainer that is asked."""
        return self.settings.refits and not self.learns_online

    @property
    def learns_online(self) -> bool:
        """Whether its detector learns as it goes and needs no trainer."""
        return isinstance(self.scorer, OnlineScorer)

    def step(self, batch: ReadingBatch) -> Verdicts:
        """Judge a run. How a stretch of readings is cut into runs makes no difference."""
        found = Verdicts(len(batch), self.state.signals, self.state.features, self.scorer.view_count)
        own_quality = np.empty((len(batch), self.state.signals), np.int8)
        first = 0
        for limit in self._limits(batch):
            while first < limit:
                first = self._judge_to(limit, first, batch, own_quality, found)
        return found

    def _limits(self, batch: ReadingBatch) -> Iterable[int]:
        """Where a run has to be cut: steps look back into the ring while all readings up to there have already been put
        into it, and it must not come round meanwhile."""
        n, most = len(batch), self.state.history // 4
        if n <= most or np.bincount(batch.slot).max() <= most:
            return (n,)
        return (*range(most, n, most), n)

    def _judge_to(self, limit: int, first: int, batch: ReadingBatch, own_quality: Bytes, found: Verdicts) -> int:
        """Judge readings from ``first`` up to ``limit`` or the first late one, and that as well; where the next begins."""
        state, placing = self._bundled.now(), self._placing
        stop, settled = take_in_and_check(
            self._fixed, state, batch.slot, batch.offset, batch.time_ms, batch.tag, batch.values, batch.quality,
            own_quality, found.ints, found.floats, found.view_count, first, limit,
        )  # fmt: skip
        if stop > first:
            feature = self.stack.columns(found.believed[first:stop])
            self.scorer.judge(Part(self._fixed, state, batch.slot, batch.offset, feature, found, first, stop))
        if placing is None or (stop == limit and settled < 0):
            return stop
        if settled >= 0:
            found.revised.append(placing.settle(settled, int(batch.offset[stop - 1])))
            return stop
        return self._put_late(placing, stop, batch, found)

    def _put_late(self, placing: Placing, i: int, batch: ReadingBatch, found: Verdicts) -> int:
        """A late reading is put in its place when all before it has been judged."""
        late = LateReading(
            int(batch.slot[i]), int(found.sequence[i]), int(batch.offset[i]), int(found.partner[i]), int(found.time_ms[i]),
            int(found.kind[i]), found.signals[i],
        )  # fmt: skip
        one = placing.put(late)
        found.put(i, one)
        found.revised += one.revised
        return i + 1

    def _roll(self, slot: Ints, sequence: Ints, kind: Ints) -> Rolled:
        """Move the windows on over readings that are in the ring."""
        state, at = self.state, sequence % self.state.history
        feature, time_ms = state.ring_feature[slot, at], state.ring_ms[slot, at]
        n, k = feature.shape
        median, held, own = np.empty((n, k)), np.zeros((n, k), np.int64), np.full((n, k, 2), np.nan)
        roll(
            slot, sequence, kind, feature, self.span_ms, state.ring_ms, state.ring_feature, state.window_length,
            state.window_valid, state.window_sorted, state.reference, state.spread, median, held, own,
        )  # fmt: skip
        return Rolled(slot, sequence, kind, time_ms, median, own)

    def adopt(self, slots: npt.NDArray[np.int64], update: ModelUpdate, since_offset: int) -> npt.NDArray[np.int64]:
        """Put a model in force for ``slots`` from ``since_offset`` on; the slots that changed.

        A fleet's model is for machines without a model of their own. The caller makes the changed state durable before
        it lets the engine see another reading of these machines.
        """
        changed: npt.NDArray[np.int64] = slots[self.changed_by(update, slots)]
        self.put_in_force(changed, update, since_offset)
        return changed

    def put_in_force(self, changed: npt.NDArray[np.int64], update: ModelUpdate, since_offset: int) -> None:
        """Put a model in force for the slots ``changed``, whatever they have."""
        core = self.state.core
        index = self.lookups.add(update)
        if len(changed):
            digest, rung = _as_kept(update)
            core["model"][changed] = digest
            core["rung"][changed] = rung
            core["model_since"][changed] = since_offset
            if rung == OWN:  # its record is in the other of the two; a fleet's is elsewhere
                core["model_part"][changed] ^= 1
            self.state.model_index[changed] = index

    def changed_by(self, update: ModelUpdate, slots: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """For which of ``slots`` adopting a model would change which one is in force."""
        model, rung = self.state.core["model"][slots], self.state.core["rung"][slots]
        digest, new_rung = _as_kept(update)
        changes: npt.NDArray[np.bool_] = (model != digest) | (rung != new_rung)
        return changes & (rung != OWN) if new_rung == FLEET else changes

    def model_of(self, slot: int) -> tuple[str, str | None] | None:
        """Digest and rung of the model that is in force for a machine; None while there is none."""
        core = self.state.core[slot]
        return (f"{int(core['model']):016x}", RUNGS[int(core["rung"])]) if core["model"] else None

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
        unseen = (state.ring_view[slot, sequence % state.history] == UNSEEN).all(axis=1)
        self.scorer.recall(self._roll(slot, sequence, np.where(unseen, MISSING, SCORABLE)))

    def window_median(self, slot: int) -> list[float]:
        """The rolling medians of a machine as they stand."""
        state = self.state
        return [middle(state.window_sorted[slot, k], state.window_valid[slot, k]) for k in range(state.features)]


def _as_kept(update: ModelUpdate) -> tuple[np.uint64, int]:
    """A model's digest and rung as a machine's state has them."""
    return np.uint64(int(update.digest, 16)), OWN if update.rung == "own" else FLEET
