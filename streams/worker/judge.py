"""Runs through the engine: those of all partitions that one fetch brought, in one call where they are short.

What is the same for every call costs as much as fifty readings, and of 5,000 a second a fetch brings five of each partition.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

from models.engine.codes import ANOMALOUS, DUPLICATE, LATE, MISSING, UNSCORED
from models.engine.labels import Stamp, make_labels, status_of
from models.engine.machines import Machines
from models.engine.requests import Said, nothing_said, request_for_feedback, training_requests
from models.engine.snapshots import take_snapshot
from models.engine.verdicts import Verdicts
from schemas.incidents import Incident
from schemas.training import TrainingRequest
from schemas.twins import write_twin
from streams.runs.producing import Record
from streams.runs.run import Run
from streams.worker.counted import StackCounts
from streams.worker.intake import TakenIn, take_in
from streams.worker.limits import Limits
from streams.worker.partition import Output, Partition
from streams.worker.waiting import Slots

#: Runs of one fetch are judged together as long as they have no more readings than this: labels shall not wait for long.
_TOGETHER: Final = 1_000

#: While machines are read back with their readings each takes a millisecond, and labels go out between two groups only.
_AT_FIRST: Final = 100

#: A partition, and consecutive records of it.
Part = tuple[Partition, Sequence[Any]]


@dataclass(slots=True)
class Counts:
    """What happened to readings, for the log and for whoever watches."""

    readings: int = 0
    labels: int = 0
    anomalous: int = 0
    unscored: int = 0
    missing_signals: int = 0
    rejected: int = 0
    revised: int = 0
    newest_ms: int = 0
    by_stack: dict[str, StackCounts] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)  # why readings were rejected

    def of(self, stack: str) -> StackCounts:
        """Those of one stack."""
        return self.by_stack.setdefault(stack, StackCounts())


def together(runs: Iterable[Run], most: int) -> Iterator[list[Run]]:
    """Runs in their order, short ones in one group of at most so many readings.

    >>> [[len(run) for run in some] for some in together([Run(None, [0] * n) for n in (400, 500, 200, 1800, 1)], 1_000)]
    [[400, 500], [200], [1800], [1]]
    """
    some: list[Run] = []
    readings = 0
    for run in runs:
        if some and readings + len(run) > most:
            yield some
            some, readings = [], 0
        some.append(run)
        readings += len(run)
    if some:
        yield some


class Judge:
    """Judges runs; what comes of them waits in the ``output`` of their partitions."""

    def __init__(
        self, machines: Machines, stamp: Stamp, limits: Limits, counts: Counts, said: Said = nothing_said
    ) -> None:
        """``said``: what people said of a machine, which training requests go by and nothing else."""
        self._machines, self._said = machines, said
        self._stamp = stamp
        self._limits = limits
        self._counts = counts
        self._latest: dict[str, dict[int, Any]] = {}  # by stack and slot: labels whose status is not sent
        self._keys: list[bytes] = []  # by slot: the key of its labels
        self._reads_back = True  # whether the last readings brought machines that had to be read back

    @property
    def at_once(self) -> int:
        """How many readings of short runs are best judged together now."""
        return _AT_FIRST if self.is_slow else _TOGETHER

    @property
    def is_slow(self) -> bool:
        """Whether the next readings may take a millisecond each, for their machines' state has to be read back.

        Some machines never send again, and theirs is never read: it counts what the last readings asked for.
        """
        return self._reads_back and self._machines.unread > 0

    def judge(self, parts: Sequence[Part]) -> list[Slots]:
        """Take ``parts`` through the engine; of each the slots whose state changed."""
        taken = take_in(
            [(partition.engine, records) for partition, records in parts], self._limits, self._stamp.source_topic
        )
        for (partition, records), rejected in zip(parts, taken.rejected, strict=True):
            partition.position = max(partition.position, records[-1].offset + 1)
            partition.output.rejected += [(one.key, one.model_dump_json().encode()) for one in rejected]
        slots = taken.batch.slot.tolist()
        slots_of = [slots[first:stop] for first, stop in pairwise([0, *taken.ends])]
        unread = self._machines.unread
        for (partition, _), own in zip(parts, slots_of, strict=True):
            partition.engine.read_back(own)
        self._reads_back = self._machines.unread < unread
        verdicts = self._machines.step(taken.batch)
        partitions = [partition for partition, _ in parts]
        outputs = {one.engine.partition: one.output for one in partitions}
        for name, judged in verdicts.items():
            self._label(name, judged, taken, slots, partitions, outputs)
        for request in training_requests(self._machines, verdicts, taken.batch, self._stamp, self._said):
            outputs[request.source.partition].training.append(_record(self._with_state(request, partitions)))
            self._counts.of(request.stack).requests[request.reason] += 1
        self._counts.readings += len(taken.batch)
        self._counts.rejected += sum(map(len, taken.rejected))
        self._counts.reasons.update(one.reason for some in taken.rejected for one in some)
        if len(taken.batch):
            self._counts.newest_ms = max(self._counts.newest_ms, int(taken.batch.time_ms.max()))
        return slots_of

    def ask_for_refit(self, partition: Partition, client_id: str, machine_id: str, stack: str, offset: int) -> bool:
        """Ask for a model, since feedback at ``offset`` changes what it is fitted to; whether there was anything to ask for.

        No label changes by it, nor any state.
        """
        slot = partition.engine.slots.get((client_id, machine_id))
        if slot is None or stack not in self._machines.stacks:
            return False
        partition.engine.read_back([slot])
        request = request_for_feedback(self._machines, stack, slot, offset, self._stamp, self._said)
        if request is not None:
            partition.output.training.append(_record(self._with_state(request, [partition])))
        return request is not None

    def _with_state(self, request: TrainingRequest, partitions: Sequence[Partition]) -> TrainingRequest:
        """The request with its machine's state, from which labels that come after it can be made again."""
        engine = next(one.engine for one in partitions if one.engine.partition == request.source.partition)
        slot = engine.slots[request.client_id, request.machine_id]
        state = take_snapshot(self._machines, request.stack, slot).pack()
        return request.model_copy(update={"state": state})

    def _label(
        self,
        name: str,
        judged: Verdicts,
        taken: TakenIn,
        slots: Sequence[int],
        partitions: Sequence[Partition],
        outputs: Mapping[int, Output],
    ) -> None:
        machines = self._machines
        made = make_labels(machines.stacks[name], judged, taken.batch, machines.names, self._stamp)
        if made.revised:
            for label in made.in_order():
                outputs[label.source_partition].labels.append((label.machine_id.encode(), write_twin(label)))
        else:
            keys = self._keys_of([slots[at] for at in made.index])
            lines: list[Record] = list(zip(keys, map(write_twin, made.labels), strict=True))
            ends = np.searchsorted(np.array(made.index), taken.ends).tolist()
            for partition, (first, stop) in zip(partitions, pairwise([0, *ends]), strict=True):
                partition.output.labels += lines[first:stop]
        for number, incident in made.incidents:
            outputs[number].incidents.append(_record(incident))
        latest = self._latest.setdefault(name, {})
        # What came late, or came already, is not where its machine is now.
        past = judged.late | (judged.kind == LATE) | (judged.kind == DUPLICATE)
        late = past.tolist() if past.any() else None
        latest.update(
            (slots[at], label)
            for at, label in zip(made.index, made.labels, strict=True)
            if late is None or not late[at]
        )
        self._count(judged, len(made.labels), len(made.revised))
        self._counts.of(name).add(judged, made)

    def _keys_of(self, slots: Sequence[int]) -> list[bytes]:
        known, machines = self._keys, self._machines.names
        known += [machine.machine_id.encode() for machine in machines[len(known) :]]
        return [known[slot] for slot in slots]

    def _count(self, judged: Verdicts, labels: int, revised: int) -> None:
        counts = self._counts
        counts.labels += labels
        counts.revised += revised
        counts.anomalous += int(np.count_nonzero(judged.verdict == ANOMALOUS))
        counts.unscored += labels - int(np.count_nonzero(judged.verdict != UNSCORED))
        counts.missing_signals += int(np.count_nonzero(judged.kind == MISSING))

    def take_status(self, slots: Slots) -> list[Record]:
        """Status of those of the machines that were labelled since they were last asked for."""
        made: list[Record] = []
        stacks = self._machines.stacks.values()
        for slot in slots:
            of_slot = [labels.pop(slot) for labels in self._latest.values() if slot in labels]
            if not of_slot:
                continue  # all its readings were late
            client, machine, _ = self._machines.names[slot]
            readings = max(int(one.state.core[slot]["readings"]) for one in stacks)
            made.append((f"{client}/{machine}".encode(), status_of(readings, of_slot)))
        return made

    def forget(self) -> None:
        """Forget what belongs to slots: these are about to change."""
        self._latest.clear()
        self._keys.clear()
        self._reads_back = True


def _record(one: Incident | TrainingRequest) -> Record:
    """A message under its machine's key."""
    return one.machine_id.encode(), one.model_dump_json().encode()
