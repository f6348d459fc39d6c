"""All views at once: the detector that stacks have unless they choose another (docs/detection.md)."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from models.engine.bundle import Bundled
from models.engine.late import Said, Tail
from models.engine.lookups import Lookups
from models.engine.packing import pack, unpack
from models.engine.scorers import Part, Rolled
from models.engine.state import UNMOVED, StackState
from models.engine.steps import judge_by_views
from models.engine.views.again import ask_about_late, look_again, make_room, move_said, say
from models.engine.views.look import look
from models.engine.views.names import VIEWS, WEIGHTS
from models.engine.views.remembered import LONG, bring_in_order
from models.engine.views.state import MEAN, ViewsState
from models.engine.views.tally import MEAN_ENDS, RAW_ENDS, tabulate
from models.engine.window import refill
from models.stacks.base import Reference

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

#: Readings that the views learn from before anything is scored: then their tallies begin to speak.
WARM_UP: Final = 32


class EnsembleScorer:
    """Scores with all views of :mod:`models.engine.views`; the forest's surprise is one of them."""

    view_count = len(VIEWS)

    def __init__(
        self, state: StackState, lookups: Lookups, least_valid: int, warm_up: int | None, reference: Reference
    ) -> None:
        rows, means = warm_up or reference.count, state.signals * (2 if reference.memory_s else 1)
        self.views = ViewsState(state.features, state.signals, state.history, (rows, means))
        self._gather_ms = round((reference.span_s or 0.0) * 1000 / rows)
        self._memory_ms, self._decades = round((reference.memory_s or 0.0) * 1000), reference.decades
        self._state, self._least_valid = state, least_valid
        self._bundled, self._models = Bundled(self.views, "viewed"), Bundled(lookups, "edges", "start")
        self._warm_up = max(WARM_UP, warm_up or 0)
        self.weights = np.array(WEIGHTS)
        self._share = math.log10(state.features)
        self.rules: Mapping[str, float] = {
            "least_valid": least_valid,
            "warm_up": self._warm_up,
            "gather_ms": self._gather_ms,
            "memory_ms": self._memory_ms,
            "decades": self._decades,
            "share": self._share,
        }
        self._kept = np.dtype(
            [(name, (column := getattr(self.views, name)).dtype, column.shape[1:]) for name in self.views.KEPT]
        )

    def judge(self, part: Part) -> None:
        judge_by_views(
            part.fixed, part.state, self._models.now(), self._bundled.now(), part.slot, part.offset, part.feature,
            part.found.ints, part.found.floats, part.first, part.stop,
        )  # fmt: skip

    # -- late readings

    def before(self, tail: Tail) -> Ints:
        v = self.views
        bins = np.empty((*tail.median.shape, MEAN), np.int64)
        look_again(
            tail, self._state.ring_ms, self._state.ring_feature, v.short_length, v.short_valid, v.short_sorted,
            v.wide_length, v.wide_valid, v.wide_sorted, v.median_before, bins,
        )  # fmt: skip
        return bins

    def rescore(self, before: Tail, remembered: Ints, after: Tail) -> tuple[Said, Said]:
        state, v = self._state, self.views
        stood = self.stand(before)
        bins = self.before(after)
        ask_about_late(
            after, state.ring_ms, state.ring_signal, state.ring_feature, state.ring_view, v.viewed, v.long_length,
            v.values, v.means, v.week, v.table, self.weights, self._memory_ms, self._decades, v.centre, v.scale,
            v.axes, v.limit, v.said, v.said_together, bins[0],
        )  # fmt: skip
        move_said(before, remembered, after, bins, v.table, self.weights, state.ring_view, v.said)
        return stood, self.stand(after)

    def stand(self, tail: Tail) -> Said:
        state, v = self._state, self.views
        said: Said = say(
            tail, self._least_valid, self._warm_up, self._share, state.ring_view, state.ring_verdict, v.viewed, v.said,
            v.said_together,
        )  # fmt: skip
        return said

    def make_room(self, slot: int, place: int, newest: int) -> None:
        make_room(slot, place, newest, self.views.said, self.views.said_together)

    def grow(self, rows: int) -> None:
        self.views.grow(rows)

    def keep(self, kept: Ints) -> None:
        self.views.keep(kept)

    # -- a restart: the newest checkpoint, then every reading since then again

    def due_checkpoints(self, slots: Ints) -> Ints:
        core, every = self._state.core, self.views.checkpoint_every
        aside = every // 16 * (slots % 16)  # machines that started together do not all write theirs at once
        due = (core["readings"][slots] + aside) // every != (core["checkpoint"][slots] + aside) // every
        # After a late reading the ring no longer tells in which order the views learnt: they are written as they are.
        found: Ints = slots[due | (self._state.moved_from[slots] != UNMOVED)]
        return found

    def checkpoint(self, slot: int) -> tuple[bytes, bytes]:
        v, core = self.views, self._state.core[slot : slot + 1]
        readings = int(core["readings"][0])
        core["checkpoint"], core["view_part"] = readings, core["view_part"] ^ 1
        v.viewed["has_spread"][slot] = not np.isnan(self._state.spread[slot]).any()
        made = np.empty(1, self._kept)
        for name in v.KEPT:
            made[name] = getattr(v, name)[slot]
        return b"v%d" % core["view_part"][0], pack(made.tobytes())

    def restore(self, slot: int, value: bytes) -> None:
        data = unpack(value)
        if len(data) != self._kept.itemsize:
            raise ValueError(f"a checkpoint of {len(data)} bytes instead of {self._kept.itemsize}")
        kept = np.frombuffer(data, self._kept)
        for name in self.views.KEPT:
            getattr(self.views, name)[slot] = kept[name][0]
        if not self.views.viewed["has_spread"][slot]:
            self.forget(slot)

    def forget(self, slot: int) -> None:
        self._state.reference[slot] = self._state.spread[slot] = np.nan

    def resume(self, slot: int) -> int:
        readings = int(self._state.core[slot]["checkpoint"])
        if readings:
            self._derive(slot, readings)
        return readings

    def _derive(self, slot: int, readings: int) -> None:
        """Sorted histories, tables and windows as they were after so many readings."""
        state, v = self._state, self.views
        for k in range(state.features):
            held = min(int(v.long_length[slot, k]), LONG)
            bring_in_order(v.values[slot, k], held)
            bring_in_order(v.means[slot, k], held)
            for t in range(v.counts.shape[2]):
                tabulate(v.counts[slot, k, t], MEAN_ENDS if t == MEAN else RAW_ENDS, v.table[slot, k, t])
        for length, valid, ordered in (
            (v.short_length, v.short_valid, v.short_sorted),
            (v.wide_length, v.wide_valid, v.wide_sorted),
        ):
            refill(slot, readings, 0, state.ring_ms, state.ring_feature, length, valid, ordered)

    def recall(self, run: Rolled) -> None:
        state, v, (n, k) = self._state, self.views, run.median.shape
        look(
            run.slot, run.sequence, run.kind, run.time_ms, run.median, run.own,
            state.ring_view[run.slot, run.sequence % state.history], state.ring_ms, state.ring_signal, state.ring_feature,
            state.ring_view, v.viewed, v.long_length, v.values, v.means, v.week,
            v.counts, v.table, v.pending, v.short_length, v.short_valid, v.short_sorted, v.wide_length, v.wide_valid,
            v.wide_sorted, v.median_before, self.weights, self._gather_ms, self._memory_ms, self._decades, v.slow, v.gathered,
            v.centre, v.scale, v.axes, v.limit, v.said, v.said_together, np.empty((n, k, len(VIEWS))), np.empty((n, k)),
            np.empty(n), np.empty(n, np.int64),
        )  # fmt: skip
