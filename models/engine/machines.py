"""All machines that a process watches: a row each, the same in every stack, whatever partition a machine is of.

Readings of several partitions are so judged in one call, which matters where few have come of each.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.engine.batch import ReadingBatch
from models.engine.layout import Layout, record_key
from models.engine.reading_back import StateReader
from models.engine.records import RecordWriter, Written
from models.engine.settings import EngineSettings
from models.engine.stack_engine import StackEngine
from models.engine.verdicts import Verdicts
from models.stacks.base import Stack

Ints = npt.NDArray[np.int64]


class Machine(NamedTuple):
    """Whose state a row is. The same machine by name in two partitions is two: each has its own readings."""

    client_id: str
    machine_id: str
    partition: int


class Machines:
    """Rows in the columns of all stacks, and the steps over them. Pure: no clock, no network, nothing random."""

    def __init__(self, stacks: Sequence[Stack], settings: EngineSettings) -> None:
        self.vocabulary: tuple[str, ...] = tuple(dict.fromkeys(name for stack in stacks for name in stack.signals))
        self.stacks = {stack.name: StackEngine(stack, self.vocabulary, settings) for stack in stacks}
        self.names: list[Machine] = []  # by slot
        self.layouts: dict[str, Layout] = {}
        self.writers: dict[str, RecordWriter] = {}
        self.readers: dict[str, StateReader] = {}
        self._written: dict[str, Written] = {}
        for name, one in self.stacks.items():
            layout, written = Layout(one.state), Written()
            self.layouts[name], self._written[name] = layout, written
            self.writers[name] = RecordWriter(one, layout, written)
            self.readers[name] = StateReader(one, layout, written)
        self._keys: dict[str, list[bytes]] = {name: [] for name in self.stacks}  # by slot: how its records' keys begin

    def add(self, machine: Machine) -> int:
        """The slot of a new machine; :meth:`grow` makes its row."""
        self.names.append(machine)
        return len(self.names) - 1

    def grow(self) -> None:
        """Have a row for every machine."""
        for engine in self.stacks.values():
            engine.grow(len(self.names))

    def step(self, batch: ReadingBatch) -> dict[str, Verdicts]:
        """What each stack thinks of readings, whose machines have been read back. In the order of each machine's offsets."""
        return {name: engine.step(batch) for name, engine in self.stacks.items()}

    @property
    def unread(self) -> int:
        """Of how many machines the records have not been read back yet, in all stacks: their first readings take long."""
        return sum(len(reader.unread) for reader in self.readers.values())

    def record_keys(self, stack: str) -> Sequence[bytes]:
        """By slot: how the keys of a machine's records begin."""
        keys = self._keys[stack]
        keys += [record_key(one.client_id, one.machine_id, stack, b"") for one in self.names[len(keys) :]]
        return keys

    def keep(self, kept: Ints) -> Mapping[int, int]:
        """Give up all machines but those in the slots ``kept``; by old slot the new one of each."""
        self.grow()
        moved = {old: new for new, old in enumerate(kept.tolist())}
        self.names = [self.names[slot] for slot in moved]
        for name, engine in self.stacks.items():
            engine.keep(kept)
            self._written[name].keep(kept)
            self.readers[name].keep(moved)
            self._keys[name].clear()
        return moved
