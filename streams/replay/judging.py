"""Readings of several partitions through one engine, as a worker does it, each machine under the model that was in force.

A partition's readings come in pieces. Where a piece ends follows from the plan and not from how records were fetched, so what
is written is the same to the letter whenever a replay was killed, and however it was cut.
"""

import bisect
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from models.engine.engine import Engine
from models.engine.labels import Stamp
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.engine.snapshots import Snapshot, put_snapshots, take_snapshot
from models.fitting import FitParameters, fit_model
from models.self_trained import answer
from models.stacks import choose_stacks
from schemas.errors import RegistryError
from schemas.training import ModelUpdate, TrainingRequest
from streams.replay.models import Models
from streams.replay.plan import MachineStep, PartitionPlan, Plan, keys_of
from streams.replay.steps import Code, Whose, in_turns
from streams.runs.producing import Record
from streams.settings import Settings
from streams.worker.judge import Counts, Judge
from streams.worker.limits import Limits
from streams.worker.partition import Partition

#: Offsets of a piece, at most; models that a replay has fitted itself come into force between two pieces.
PIECE: Final = 4_000
#: Whoever was let in then is let in now.
_NO_LIMIT: Final = 2**62


class Replaying:
    """The engine, and how far each partition has come."""

    def __init__(self, plan: Plan, settings: Settings, models: Models) -> None:
        asked, knobs = plan.asked, settings.worker
        self._plan, self._models = plan, models
        self._fits = FitParameters(
            settings.trainer.trees, settings.trainer.samples_per_tree, settings.trainer.score_digits
        )
        stacks = choose_stacks(asked.stacks)
        told = {step.stack for one in plan.partitions.values() for step in one.steps}
        #: Stacks of which no model is known: a trainer of our own answers their requests.
        self.fitted_here = frozenset(name for name in asked.changed if name not in told)
        self._machines = Machines(
            stacks, EngineSettings(refits=bool(self.fitted_here), detectors=dict(asked.detectors))
        )
        self._limits = Limits(knobs.max_message_bytes, _NO_LIMIT, _NO_LIMIT)
        self._counts = Counts()
        self._judges: dict[Stamp, Judge] = {}
        self._fitted: dict[str, ModelUpdate] = {}
        self._keys = keys_of(plan)
        self._left_out = frozenset(name.encode() for name in plan.left_out)
        self._partitions: dict[int, Partition] = {}
        self._cuts = {number: _cuts(one) for number, one in plan.partitions.items()}
        self._next_step = dict.fromkeys(plan.partitions, 0)
        client = asked.client
        self._client = None if client is None else b'"client_id":' + msgspec.json.encode(client) + b","

    # -- state

    def begin_all(self, snapshots: Mapping[int, Sequence[bytes]], positions: Mapping[int, int]) -> None:
        """Let all partitions begin, or go on, at their positions with what ``snapshots`` know."""
        for number, one in self._plan.partitions.items():
            self._begin(number, snapshots.get(number, one.snapshots), positions[number])
        for number, one in self._plan.partitions.items():
            self._partitions[number].engine.let_in((step.client_id, step.machine_id) for step in one.steps)
        self._machines.grow()

    def _begin(self, number: int, snapshots: Sequence[bytes], position: int) -> None:
        engine = Engine(self._machines, number)
        known = [Snapshot.unpack(one) for one in snapshots]
        put_snapshots(engine, [(one, self._model_of(one)) for one in known])
        self._partitions[number] = Partition(engine, self._limits)
        steps = self._plan.partitions[number].steps
        self._next_step[number] = bisect.bisect_left(steps, position, key=lambda step: step.since_offset)
        if position == self._plan.partitions[number].start_offset:
            self._next_step[number] = 0

    def _model_of(self, snapshot: Snapshot) -> ModelUpdate | None:
        digest = snapshot.model_digest
        if digest is None:
            return None
        whose = Whose(snapshot.client_id, snapshot.machine_id, snapshot.stack)
        return self._fitted.get(digest) or self._models.find(whose, digest, snapshot.model_rung or "own")

    def snapshots(self) -> dict[int, list[bytes]]:
        """What is known of all machines now, by partition; each stack's machine by itself."""
        return {
            number: [
                take_snapshot(self._machines, name, slot).pack()
                for name in self._machines.stacks
                for slot in partition.engine.slots.values()
            ]
            for number, partition in self._partitions.items()
        }

    @property
    def fitted(self) -> list[bytes]:
        """Models that were fitted here and are nowhere else."""
        return [update.model_dump_json().encode() for update in self._fitted.values()]

    def remember(self, fitted: Sequence[bytes]) -> None:
        """Know these models again, before :meth:`begin_all`."""
        updates = [ModelUpdate.model_validate_json(one) for one in fitted]
        self._fitted = {update.digest: update for update in updates}

    # -- readings

    def piece_end(self, number: int, position: int) -> int:
        """Where the piece of a partition that begins at ``position`` ends."""
        cuts = self._cuts[number]
        at = bisect.bisect_right(cuts, position)
        return min(cuts[at] if at < len(cuts) else 2**62, (position // PIECE + 1) * PIECE)

    def judge(self, number: int, first: int, end: int, records: Sequence[Any]) -> list[Record]:
        """Judge a piece, ``records`` with offsets from ``first`` to before ``end``; labels that count, with their keys."""
        plan, partition = self._plan.partitions[number], self._partitions[number]
        self._adopt(number, self._take_steps(number, first + 1))
        coming = self._take_steps(number, end)
        judge = self._judge_for(plan, first)
        wanted = self._wanted(plan, records)
        turns: dict[bytes, list[int]] = {}
        for step in coming:
            known = turns.setdefault(step.machine_id.encode(), [])
            if not known or known[-1] != step.since_offset:
                known.append(step.since_offset)
        steps_of = _by_turn(coming, turns)
        for turn, some in enumerate(in_turns(wanted, turns)):
            if turn:
                self._adopt(number, steps_of.pop(turn, ()))
            if some:
                judge.judge([(partition, some)])
        for turn in sorted(steps_of):  # of machines of which nothing more came in this piece
            self._adopt(number, steps_of[turn])
        output = partition.take_output()
        for _, value in output.training if self.fitted_here else ():
            self._answer(number, TrainingRequest.model_validate_json(value or b""), end)
        return self._kept(output.labels) if first >= plan.first_offset else []

    def _wanted(self, plan: PartitionPlan, records: Sequence[Any]) -> Sequence[Any]:
        keys, left_out, begins = self._keys, self._left_out, plan.begins
        if keys is not None:
            records = [record for record in records if record.key in keys]
        if left_out:
            records = [record for record in records if record.key not in left_out]
        if begins and records and records[0].offset < plan.first_offset:
            known = {machine.encode(): offset for machine, offset in begins.items()}
            records = [record for record in records if record.offset > known.get(record.key, -1)]
        return records

    def _kept(self, labels: list[Record]) -> list[Record]:
        client = self._client
        return labels if client is None else [one for one in labels if one[1] is not None and client in one[1][:400]]

    def _judge_for(self, plan: PartitionPlan, position: int) -> Judge:
        """By which code labels of the reading at ``position`` were made then; by this one where nothing tells."""
        at = bisect.bisect_right(plan.codes, position, key=lambda code: code.offset) - 1
        code = plan.codes[max(at, 0)] if plan.codes else Code(0, self._plan.code_version, self._plan.git_commit)
        stamp = Stamp(self._plan.topic, code.version, code.git_commit)
        if stamp not in self._judges:
            self._judges[stamp] = Judge(self._machines, stamp, self._limits, self._counts)
        return self._judges[stamp]

    # -- models

    def _take_steps(self, number: int, before: int) -> list[MachineStep]:
        steps, at = self._plan.partitions[number].steps, self._next_step[number]
        to = bisect.bisect_left(steps, before, lo=at, key=lambda step: step.since_offset)
        self._next_step[number] = to
        return steps[at:to]

    def _adopt(self, number: int, steps: Sequence[MachineStep]) -> None:
        engine = self._partitions[number].engine
        for step in steps:
            update = self._models.find(step.whose, step.digest, step.rung)
            if update is None:
                raise RegistryError(
                    f"model {step.digest} of machine {step.machine_id!r} of client {step.client_id!r} is damaged in the "
                    "registry: `wellsentry models verify` tells more. Replay the other machines without it, or this one "
                    f"up to offset {step.since_offset}"
                )
            engine.adopt_for(step.client_id, step.machine_id, update, step.since_offset)

    def _answer(self, number: int, request: TrainingRequest, since: int) -> None:
        if request.stack not in self.fitted_here:
            return
        try:
            fitted = fit_model(request.features, request.medians, self._fits, request.seed)
        except ValueError:  # a trainer leaves it out as well
            return
        update = answer(request, fitted, Stamp(self._plan.topic, self._plan.code_version, self._plan.git_commit))
        self._fitted[update.digest] = update
        self._partitions[number].engine.adopt_for(update.client_id, update.machine_id, update, since)


def _cuts(plan: PartitionPlan) -> list[int]:
    """Where a piece has to end, whatever its length."""
    return sorted({plan.first_offset, plan.end_offset, *(code.offset for code in plan.codes)})


def _by_turn(steps: Sequence[MachineStep], turns: dict[bytes, list[int]]) -> dict[int, list[MachineStep]]:
    """Steps by how many changes their machine has had by then, from 1."""
    made: dict[int, list[MachineStep]] = {}
    for step in steps:
        made.setdefault(turns[step.machine_id.encode()].index(step.since_offset) + 1, []).append(step)
    return made
