"""The engine of one partition: its machines, and all stacks that watch them."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from models.engine.batch import ReadingBatch
from models.engine.records import Records, pack_model, record_key, split_key, unpack_model
from models.engine.settings import EngineSettings
from models.engine.stack_engine import StackEngine
from models.engine.verdicts import Verdicts
from models.stacks.base import Stack
from schemas.errors import StateError
from schemas.training import ModelUpdate

FLEET_MACHINE: Final = "*"

#: A touched machine of a stack: its row there.
Touched = tuple[str, int]


class Engine:
    """All state of one partition, and the steps over it. Pure: no clock, no network, nothing random."""

    def __init__(self, stacks: Sequence[Stack], settings: EngineSettings) -> None:
        self.vocabulary: tuple[str, ...] = tuple(dict.fromkeys(name for stack in stacks for name in stack.signals))
        self.stacks = {stack.name: StackEngine(stack, self.vocabulary, settings) for stack in stacks}
        self._records = {name: Records(engine) for name, engine in self.stacks.items()}
        self._keys: dict[str, list[bytes]] = {name: [] for name in self.stacks}  # by slot: how its records' keys begin
        self.slots: dict[tuple[str, str], int] = {}
        self.machines: list[tuple[str, str]] = []  # by slot: client and machine
        self.machines_of: dict[str, int] = {}  # how many each client has here
        self._fleet: dict[tuple[str, str], tuple[ModelUpdate, int]] = {}  # by client and stack, and since when
        self._to_rebuild: set[int] = set()

    def slot(self, client_id: str, machine_id: str) -> int:
        """The row of a machine; a new one starts with its client's fleet model, where there is one."""
        found = self.slots.get((client_id, machine_id))
        if found is not None:
            return found
        slot = self._new_slot(client_id, machine_id)
        for name, engine in self.stacks.items():
            fleet = self._fleet.get((client_id, name))
            if fleet is not None:
                engine.adopt(np.array([slot]), *fleet)
        return slot

    def _new_slot(self, client_id: str, machine_id: str) -> int:
        slot = self.slots[client_id, machine_id] = len(self.machines)
        self.machines.append((client_id, machine_id))
        self.machines_of[client_id] = self.machines_of.get(client_id, 0) + 1
        for engine in self.stacks.values():
            engine.grow(slot + 1)
        return slot

    def step(self, batch: ReadingBatch) -> dict[str, Verdicts]:
        """What each stack thinks of a run of readings."""
        return {name: engine.step(batch) for name, engine in self.stacks.items()}

    def adopt(self, update: ModelUpdate, since_offset: int) -> list[Touched]:
        """Put a model in force from ``since_offset`` on; the machines whose state changed by it.

        Their records must be durable before the engine sees a reading at or after ``since_offset``.
        Raises ValueError if the model does not fit its stack.
        """
        engine = self.stacks.get(update.stack)
        if engine is None or engine.learns_online:
            return []
        if update.rung == "fleet":
            slots = np.array([s for s, (client, _) in enumerate(self.machines) if client == update.client_id], np.int64)
            known = self._fleet.get((update.client_id, update.stack))
            if known is None or known[0].digest != update.digest:
                self._fleet[update.client_id, update.stack] = (update, since_offset)
        else:
            slots = np.array([self.slot(update.client_id, update.machine_id)], np.int64)
        changed = engine.adopt(slots, update, since_offset)
        engine.drop_unused_models()
        return [(update.stack, int(slot)) for slot in changed]

    # -- state as records

    def records(self, touched: Iterable[Touched], adopted: Iterable[ModelUpdate]) -> list[tuple[bytes, bytes]]:
        """Changelog records of the touched machines and of models adopted since the last call.

        Models come before the heads that name them, full chunks before heads: whatever part of the list is durable when
        the process dies, the state read back is one that was.
        """
        made: list[tuple[bytes, bytes]] = []
        for update in adopted:
            made += self._model_records(update)
        of_stack: dict[str, list[int]] = {}
        for name, slot in touched:
            of_stack.setdefault(name, []).append(slot)
        heads: list[tuple[bytes, bytes]] = []
        for name, slots in of_stack.items():
            parts, last = self._records[name].take(np.array(slots, np.int64))
            keys = self._keys[name]
            keys += [record_key(*machine, name, b"") for machine in self.machines[len(keys) :]]
            made += [(keys[slot] + part, value) for slot, part, value in parts]
            heads += [(keys[slot] + part, value) for slot, part, value in last]
        return made + heads

    def _model_records(self, update: ModelUpdate) -> list[tuple[bytes, bytes]]:
        if update.stack not in self.stacks:
            return []
        if update.rung == "fleet":
            fleet = self._fleet.get((update.client_id, update.stack))
            if fleet is None or fleet[0].digest != update.digest:
                return []
            return [(record_key(update.client_id, FLEET_MACHINE, update.stack, b"m"), pack_model(*fleet))]
        core = self.stacks[update.stack].state.core[self.slots[update.client_id, update.machine_id]]
        part = b"m%d" % core["model_part"]
        return [
            (
                record_key(update.client_id, update.machine_id, update.stack, part),
                pack_model(update, int(core["model_since"])),
            )
        ]

    def restore(self, key: bytes, value: bytes) -> None:
        """Read one changelog record back. After the last one call :meth:`finish_restore`."""
        client, machine, stack, part = split_key(key)
        engine = self.stacks.get(stack)
        if engine is None:
            return  # a stack that is no longer switched on; its records wait
        if part.startswith(b"m"):
            record = unpack_model(value)
            engine.lookups.add(record.update)
            if machine == FLEET_MACHINE:
                self._fleet[client, stack] = (record.update, record.since_offset)
            return
        found = self.slots.get((client, machine))
        slot = self._new_slot(client, machine) if found is None else found
        self._records[stack].restore(slot, part, value)
        self._to_rebuild.add(slot)

    def finish_restore(self) -> int:
        """Compute what is not stored; how many machines were restored. :class:`StateError` if a model is missing."""
        for slot in sorted(self._to_rebuild):
            for name, engine in self.stacks.items():
                engine.rebuild(slot)
                if engine.state.core[slot]["model"] and engine.state.model_index[slot] < 0:
                    client, machine = self.machines[slot]
                    raise StateError(
                        f"changelog holds no model {int(engine.state.core[slot]['model']):016x} for stack {name!r} of "
                        f"machine {machine!r} of client {client!r}; publish it again with `wellsentry trainer --publish-only`"
                    )
        count = len(self._to_rebuild)
        self._to_rebuild.clear()
        return count
