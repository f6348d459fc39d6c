"""The engine of one partition: which machines are its own, their models, and their state as records."""

from collections.abc import Collection, Iterable
from typing import Final

import numpy as np

from models.engine.batch import ReadingBatch
from models.engine.layout import RECORD_FRONT, SEPARATOR, check_version, record_key, split_key
from models.engine.machines import Machine, Machines
from models.engine.model_records import KeptModel, ModelRecord, pack_model, unpack_look_up, unpack_model
from models.engine.reading_back import Needed, Parts
from models.engine.verdicts import Verdicts
from schemas.errors import StateError
from schemas.training import FLEET, ModelUpdate

#: So many machines are read back at once, for the sake of memory.
_AT_ONCE: Final = 128

#: A touched machine of a stack: its row there.
Touched = tuple[str, int]

#: The record of a fleet's model. There is one, which is also how all of a fleet's machines go over at once.
_FLEET_PART: Final = 0


class Engine:
    """The machines of one partition, in rows that may be shared with other partitions. Pure, as these are."""

    def __init__(self, machines: Machines, partition: int = 0) -> None:
        self.machines = machines
        self.stacks = machines.stacks
        self.vocabulary = machines.vocabulary
        self.partition = partition
        self.slots: dict[tuple[str, str], int] = {}
        self.machines_of: dict[str, int] = {}  # how many each client has here
        self._fleets: dict[tuple[str, str], ModelRecord] = {}  # models in force by client and stack
        self._parts_of: dict[bytes, Parts] = {}  # while state is read: a machine's records, by how their keys begin

    def slot(self, client_id: str, machine_id: str) -> int:
        """The row of a machine; a new one starts with its client's fleet model, where there is one."""
        found = self.slots.get((client_id, machine_id))
        if found is not None:
            return found
        slot = self._new_slot(client_id, machine_id)
        self.machines.grow()
        for name in self.stacks:
            self._take_fleets_models(name, (slot,))
        return slot

    def _new_slot(self, client_id: str, machine_id: str) -> int:
        slot = self.slots[client_id, machine_id] = self.machines.add(Machine(client_id, machine_id, self.partition))
        self.machines_of[client_id] = self.machines_of.get(client_id, 0) + 1
        return slot

    @property
    def last_offset(self) -> int:
        """Offset of the newest reading that is part of any machine's state; -1 if there is none."""
        slots = np.array(list(self.slots.values()), np.int64)
        return max(
            (int(one.state.core["last_offset"][slots].max(initial=-1)) for one in self.stacks.values()), default=-1
        )

    def step(self, batch: ReadingBatch) -> dict[str, Verdicts]:
        """What each stack thinks of a run of readings. :class:`StateError` if a machine's records are damaged."""
        self.read_back(batch.slot)
        return self.machines.step(batch)

    def adopt(self, update: ModelUpdate, since_offset: int) -> list[Touched]:
        """Put a model in force from ``since_offset`` on; the machines whose state changed by it.

        Their records must be durable before the engine sees a reading at or after ``since_offset``.
        Raises ValueError if the model does not fit its stack.
        """
        engine = self.stacks.get(update.stack)
        if engine is None or engine.learns_online:
            return []
        if update.rung == "fleet":
            slots = np.array([s for (client, _), s in self.slots.items() if client == update.client_id], np.int64)
            self.read_back(slots)  # what they still say is of the fleet's model before
            known = self._fleets.get((update.client_id, update.stack))
            if known is None or known.update.digest != update.digest:
                self._fleets[update.client_id, update.stack] = ModelRecord(since_offset, update)
        else:
            slots = np.array([self.slot(update.client_id, update.machine_id)], np.int64)
            self.read_back(slots)
        changed = engine.adopt(slots, update, since_offset)
        engine.drop_unused_models()
        return [(update.stack, int(slot)) for slot in changed]

    def adopt_for(self, client_id: str, machine_id: str, update: ModelUpdate, since_offset: int) -> None:
        """Put a model in force for one machine alone, be it its own or its fleet's; of its fleet even where it has its own.

        For judging again, where labels tell which model each machine had and nothing is written to a changelog.
        Raises ValueError if the model does not fit its stack.
        """
        engine = self.stacks.get(update.stack)
        if engine is None or engine.learns_online:
            return
        slots = np.array([self.slot(client_id, machine_id)], np.int64)
        self.read_back(slots)
        if engine.model_of(int(slots[0])) != (update.digest, update.rung):
            engine.put_in_force(slots, update, since_offset)
            engine.drop_unused_models()

    def let_in(self, machines: Iterable[tuple[str, str]]) -> None:
        """Know all of these machines at once, each by client and name; :meth:`Machines.grow` makes their rows.

        Rows that are made one by one are copied again and again as they become more.
        """
        for client, machine in machines:
            if (client, machine) not in self.slots:
                self._new_slot(client, machine)

    # -- state as records

    def records(self, touched: Iterable[Touched], adopted: Iterable[ModelUpdate]) -> list[tuple[bytes, bytes]]:
        """Changelog records of the touched machines and of models adopted since the last call.

        Models come before the heads that name them, full chunks before heads: whatever part of the list is durable when
        the process dies, the state read back is one that was. With its record a fleet's model is in force for all of its
        machines, be their heads durable or not: :meth:`finish_restore` sees to that.
        """
        made: list[tuple[bytes, bytes]] = []
        for update in adopted:
            made += self._model_records(update)
        of_stack: dict[str, list[int]] = {}
        for name, slot in touched:
            of_stack.setdefault(name, []).append(slot)
        heads: list[tuple[bytes, bytes]] = []
        for name, slots in of_stack.items():
            parts, last = self.machines.writers[name].take(np.array(slots, np.int64))
            keys = self.machines.record_keys(name)
            made += [(keys[slot] + part, value) for slot, part, value in parts]
            heads += [(keys[slot] + part, value) for slot, part, value in last]
        return made + heads

    def model_ahead(self, update: ModelUpdate) -> list[tuple[bytes, bytes]]:
        """The changelog record of a machine's own model, that may be written before it is adopted: it means nothing as long
        as no head names it. Empty for a fleet's model, whose record says since when it is in force, and for one in force.
        """
        engine = self.stacks.get(update.stack)
        if engine is None or engine.learns_online or update.rung == "fleet":
            return []
        slots = np.array([self.slot(update.client_id, update.machine_id)], np.int64)
        self.read_back(slots)
        if not engine.changed_by(update, slots).any():
            return []
        return [_model_record(update, engine.state.core[slots[0]]["model_part"] ^ 1, 0)]

    def _model_records(self, update: ModelUpdate) -> list[tuple[bytes, bytes]]:
        if update.stack not in self.stacks:
            return []
        if update.rung == "fleet":
            fleet = self._fleets.get((update.client_id, update.stack))
            if fleet is None or fleet.update.digest != update.digest:
                return []
            return [_model_record(fleet.update, _FLEET_PART, fleet.since_offset)]
        core = self.stacks[update.stack].state.core[self.slots[update.client_id, update.machine_id]]
        return [_model_record(update, core["model_part"], int(core["model_since"]))]

    def restore(self, key: bytes, value: bytes) -> None:
        """Keep one changelog record, in the order in which they were written. After the last call :meth:`finish_restore`.

        Raises :class:`StateError` for a record that this version does not read.
        """
        prefix, _, part = key.rpartition(SEPARATOR)
        parts = self._parts_of.get(prefix)
        if parts is None:
            parts = self._parts_of[prefix] = self._parts_for(key)
        if value[:1] != RECORD_FRONT:
            check_version(f"state record {part!r}", value)
        parts[part] = value

    def _parts_for(self, key: bytes) -> Parts:
        client, machine, stack, _ = split_key(key)
        reader = self.machines.readers.get(stack)
        if reader is None or machine == FLEET:
            return {}  # a stack that is no longer switched on, whose records wait; or a fleet's model
        found = self.slots.get((client, machine))
        return reader.records_of(self._new_slot(client, machine) if found is None else found)

    def finish_restore(self) -> int:
        """Find out where each machine stood; how many were restored. :class:`StateError` if a model is missing.

        The rest of a machine's state is read back when its first reading comes.
        """
        for prefix, parts in self._parts_of.items():
            client, machine, stack, _ = split_key(prefix + SEPARATOR)
            if machine == FLEET and stack in self.stacks:
                models = map(unpack_model, parts.values())  # version 1.0.0 left older ones beside the one in force
                self._fleets[client, stack] = max(models, key=lambda one: one.since_offset)
        self.machines.grow()
        ours, restored = set(self.slots.values()), set[int]()
        for name, reader in self.machines.readers.items():
            reader.read_heads(ours)
            known = ours & reader.unread.keys()
            restored |= known
            self._take_fleets_models(name, ours)  # those of which no head is durable begin again
            for one in reader.needed(known):
                if one.record is None and self._fleet_model(name, one) is None:
                    raise self._model_missing(name, one)
        self._parts_of.clear()
        return len(restored)

    def _take_fleets_models(self, name: str, slots: Iterable[int]) -> None:
        """Put their fleet's model in force for those of a stack's machines that have none of their own.

        These are new machines, and those whose heads were not durable yet when their fleet went over to it.
        """
        of_client: dict[str, list[int]] = {}
        for slot in slots:
            of_client.setdefault(self.machines.names[slot].client_id, []).append(slot)
        for client, theirs in of_client.items():
            fleet = self._fleets.get((client, name))
            if fleet is not None:
                self.stacks[name].adopt(np.array(sorted(theirs)), fleet.update, fleet.since_offset)

    def read_back(self, slots: Iterable[int]) -> None:
        """Read what is still unread of these machines' records, and compute what is not stored."""
        for name, reader in self.machines.readers.items():
            if not reader.unread:
                continue
            asked = sorted({int(slot) for slot in slots} & reader.unread.keys())
            for at in range(0, len(asked), _AT_ONCE):
                some = asked[at : at + _AT_ONCE]
                for one in reader.read_back(some):
                    self._know(name, one)
                self.stacks[name].rebuild(some)

    def _know(self, name: str, needed: Needed) -> None:
        lookups = self.stacks[name].lookups
        if lookups.index(needed.digest) is not None:
            return
        own = None if needed.record is None else unpack_look_up(needed.record)
        model: KeptModel | ModelUpdate | None = (
            own if own is not None and own.digest == needed.digest else self._fleet_model(name, needed)
        )
        if model is None:
            raise self._model_missing(name, needed)
        lookups.add(model)

    def _fleet_model(self, name: str, needed: Needed) -> ModelUpdate | None:
        """The model of a machine's fleet that it needs; None if it needs another."""
        fleet = self._fleets.get((self.machines.names[needed.slot].client_id, name))
        return fleet.update if fleet is not None and fleet.update.digest == needed.digest else None

    def _model_missing(self, name: str, needed: Needed) -> StateError:
        client, machine, _ = self.machines.names[needed.slot]
        return StateError(
            f"changelog holds no model {needed.digest} for stack {name!r} of machine {machine!r} of client {client!r}; "
            "publish it again with `wellsentry trainer --publish-only`"
        )


def keep_only(machines: Machines, engines: Collection[Engine]) -> None:
    """Give up the rows of all machines that are of none of ``engines``; the slots of theirs change."""
    kept = np.array(sorted(slot for engine in engines for slot in engine.slots.values()), np.int64)
    if len(kept) == len(machines.names):
        return
    moved = machines.keep(kept)
    for engine in engines:
        engine.slots = {whose: moved[slot] for whose, slot in engine.slots.items()}


def _model_record(update: ModelUpdate, part: int, since_offset: int) -> tuple[bytes, bytes]:
    """A model's changelog record, under the name of its machine or fleet."""
    key = record_key(update.client_id, update.machine_id, update.stack, b"m%d" % part)
    return key, pack_model(update, since_offset)
