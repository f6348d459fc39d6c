"""From what is asked to what is to be read: where each machine's state is known, and which models it had when."""

import asyncio
from collections.abc import Iterable, Mapping

from models.engine.snapshots import Snapshot
from schemas.errors import BadSettings, StoreError
from schemas.readings import DEFAULT_CLIENT
from streams.build_info import build_info
from streams.partitions import partition_of
from streams.reading_ranges import Bounds, Range, RangeReader, Ranges
from streams.registry import Registry
from streams.replay.given import find_labels, finder, first_labelled, read_then
from streams.replay.lines import read_head
from streams.replay.models import Models
from streams.replay.plan import Asked, MachineStep, PartitionPlan, Plan, keys_of
from streams.replay.starts import newest_snapshot
from streams.replay.steps import Then, Whose, joined
from streams.replay.stored import stored_labels
from streams.settings import Settings

Known = Mapping[Whose, Snapshot]


async def make_plan(settings: Settings, registry: Registry, models: Models, asked: Asked, bounds: Bounds) -> Plan:
    """Find out what a replay has to read. Raises :class:`BrokerError`, :class:`RegistryError`, :class:`BadSettings`."""
    return await _Planner(settings, registry, models, asked).plan(bounds)


class _Planner:
    def __init__(self, settings: Settings, registry: Registry, models: Models, asked: Asked) -> None:
        self._settings, self._registry, self._models, self._asked = settings, registry, models, asked
        self._topics, self._broker = settings.topics, settings.broker
        self._cut: dict[int, int | None] = {}  # by partition: the first reading that has a label on the topic still
        self._untold = ""
        self._keys = None if asked.machines is None else frozenset(name.encode() for name in asked.machines)

    async def plan(self, bounds: Bounds) -> Plan:
        if self._asked.machines is not None and bounds.partitions is None:
            homes = {partition_of(name, self._broker.partitions) for name in self._asked.machines}
            bounds = Bounds(bounds.from_ms, bounds.to_ms, bounds.from_offset, bounds.to_offset, homes)
        async with RangeReader(self._broker) as reader:
            topic = self._topics.readings.name
            whole = await reader.find(topic, Bounds(partitions=bounds.partitions))
            ranges = await reader.find(topic, bounds)
        wanted = {tp.partition: one for tp, one in ranges.items() if len(one)}
        earliest = {tp.partition: one.first_offset for tp, one in whole.items()}
        labels = await self._labels(wanted)
        then = await self._then(wanted, labels)
        if bounds.to_ms is None and bounds.to_offset is None:  # what has no label yet will get one
            ends = {number: then[number].end_offset or one.end_offset for number, one in wanted.items()}
            wanted = {number: Range(one.first_offset, ends[number]) for number, one in wanted.items()}
        build = build_info()
        plan = Plan(self._asked, topic, build.version, build.git_commit, {}, {})
        begun = {number: self._begin(number, one, earliest[number], then[number]) for number, one in wanted.items()}
        earlier = {
            number: Range(begin.start_offset, begin.first_offset)
            for number, (begin, _) in begun.items()
            if begin.start_offset < begin.first_offset
        }
        before = await self._then(earlier, await self._labels(earlier))
        for number, (one, known) in begun.items():
            told = joined(before[number], then[number]) if number in before else then[number]
            one.codes = told.codes
            one.steps = self._steps(told, known, one, plan.left_out)
            plan.partitions[number] = one
        plan.untold = self._untold
        plan.stored = {number: (one.first_offset, one.end_offset) for number, one in self._gone(wanted).items()}
        plan.labels = {tp.partition: (one.first_offset, one.end_offset) for tp, one in labels.items()}
        return plan

    async def _labels(self, readings: Mapping[int, Range]) -> Ranges:
        if not readings:
            return {}
        async with finder(self._broker) as reader:
            whole = await reader.find(self._topics.labels.name, Bounds(partitions=list(readings)))
            self._cut |= await first_labelled(reader, whole)
            return await find_labels(reader, whole, readings, len(self._settings.worker.stacks))

    def _gone(self, readings: Mapping[int, Range]) -> dict[int, Range]:
        """Of ``readings`` those whose labels are past their topic's retention."""
        found = {}
        for number, one in readings.items():
            if number in self._cut:
                first = self._cut[number]
                end = one.end_offset if first is None else min(first, one.end_offset)
                if one.first_offset < end:
                    found[number] = Range(one.first_offset, end)
        return found

    def _stored(self, readings: Mapping[int, Range]) -> dict[int, Then]:
        """What the table's labels of ``readings`` tell; nothing where it cannot be read, which is remembered."""
        try:
            labels = stored_labels(self._settings, readings, self._asked)
        except StoreError as error:
            self._untold = str(error)
            return {}
        then = {number: Then() for number in readings}
        for number, its in labels.items():
            for label in its:
                if label.revision == 0:
                    then[number].add(label.source_offset, read_head(label.model_dump_json()))
        return then

    async def _then(self, readings: Mapping[int, Range], places: Ranges) -> dict[int, Then]:
        if not readings:
            return {}
        async with RangeReader(self._broker) as reader:
            then = await read_then(reader, places, readings, self._keys)
        if gone := self._gone(readings):
            for number, earlier in (await asyncio.to_thread(self._stored, gone)).items():
                then[number] = joined(earlier, then[number])
        for one in then.values():
            one.steps = {whose: steps for whose, steps in one.steps.items() if self._is_asked_for(whose)}
        return then

    def _is_asked_for(self, whose: Whose) -> bool:
        return self._asked.client in (None, whose.client_id)

    # -- state

    def _begin(
        self, number: int, wanted: Range, earliest: int, then: Then
    ) -> tuple[PartitionPlan, dict[Whose, Snapshot]]:
        """Where reading begins, and the snapshots of machines to begin with."""
        first, end = wanted.first_offset, wanted.end_offset
        plan = PartitionPlan(first, first, end)
        known: dict[Whose, Snapshot] = {}
        if first <= earliest:
            plan.cold = sorted({one.machine_id for one in then.steps}) if earliest else []
            return plan, known
        cold = set()
        for whose in self._all_of(number, then):
            found = None if self._asked.changed else newest_snapshot(
                self._registry, whose, self._topics.readings.name, number, first
            )  # fmt: skip
            if found is not None and found.last_offset + 1 >= earliest:
                known[whose] = found
            else:
                cold.add(whose.machine_id)
        starts = [one.last_offset + 1 for one in known.values()]
        plan.start_offset = earliest if cold or not starts else min(first, *starts)
        plan.cold = sorted(cold) if earliest else []
        for whose, one in known.items():
            if whose.machine_id not in cold:
                begins = plan.begins.get(whose.machine_id, one.last_offset)
                plan.begins[whose.machine_id] = min(begins, one.last_offset)
        plan.snapshots = [one.pack() for one in known.values()]
        return plan, known

    def _all_of(self, number: int, then: Then) -> Iterable[Whose]:
        """All that may have state: what was labelled, or what is asked for by name."""
        clients = {one.client_id for one in then.steps} or {self._asked.client or DEFAULT_CLIENT}
        named = [
            Whose(client, machine, stack)
            for machine in self._asked.machines or ()
            if partition_of(machine, self._broker.partitions) == number
            for client in sorted(clients)
            for stack in self._asked.stacks
        ]
        return sorted({*then.steps, *named})

    # -- models

    def _steps(self, then: Then, known: Known, plan: PartitionPlan, left_out: dict[str, str]) -> list[MachineStep]:
        made: list[MachineStep] = []
        for whose, steps in then.steps.items():
            if whose.stack not in self._asked.stacks:
                continue
            model = None if self._asked.model is None else self._other_model(whose, self._asked.model)
            since = known[whose].last_offset if whose in known else -1
            own = [
                MachineStep(one.since_offset, *whose, one.digest, one.rung) for one in steps if one.since_offset > since
            ]
            if model is not None:
                own = [one for one in own if one.since_offset < plan.first_offset]
                own.append(MachineStep(plan.first_offset, *whose, *model))
            missing = [one for one in own if not self._models.has(whose, one.digest, one.rung)]
            if missing:
                left_out[whose.machine_id] = (
                    f"model {missing[0].digest}, in force from offset {missing[0].since_offset} on, is neither in the "
                    f"registry nor on the topic {self._topics.models.name}"
                )
                continue
            made += own
        return sorted(made)

    def _other_model(self, whose: Whose, digest: str) -> tuple[str, str] | None:
        """The model asked for, with its rung, if it is for that machine; None if it is another's."""
        for rung in ("own", "fleet"):
            if self._models.has_in_registry(whose, digest, rung):
                return digest, rung
        return None


def check_model(plan: Plan) -> None:
    """Raises :class:`BadSettings` if the model that was asked for is for none of the machines."""
    model = plan.asked.model
    if model is None or any(step.digest == model for one in plan.partitions.values() for step in one.steps):
        return
    raise BadSettings(
        f"model {model} is in the registry for none of the machines asked for, nor for their fleet; "
        "`wellsentry models list MACHINE` shows a machine's models"
    )


__all__ = ["check_model", "keys_of", "make_plan"]
