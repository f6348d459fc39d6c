"""A machine's whole state as bytes, taken while it is judged on: from there its labels can be made again.

A snapshot holds the records that a changelog would hold of the machine if all of it had just been written, so it is read
back as a restart reads them. The model in force is named, not held: the registry has it. Two engines that know the same of
a machine give the same bytes, whatever each has written so far.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np

from models.engine import codes
from models.engine.engine import Engine
from models.engine.layout import RECORD_FRONT, check_version, record_key
from models.engine.machines import Machines
from models.engine.model_records import pack_model
from models.engine.packing import pack, unpack
from models.engine.records import RecordWriter, Written
from models.engine.state import CHUNK
from schemas.errors import StateError
from schemas.training import Digest, ModelUpdate

#: The part of the key that names the model of a machine just read back.
_MODEL_PART: Final = b"m0"


class Snapshot(msgspec.Struct, frozen=True):
    """The state of one stack's machine after the reading at ``last_offset``."""

    client_id: str
    machine_id: str
    stack: str
    detector: str
    history: int  # readings that its ring has room for
    partition: int
    last_offset: int  # -1: it has seen none
    readings: int
    model_digest: Digest | None
    model_rung: str | None  # own or fleet
    model_since_offset: int | None
    parts: dict[str, bytes]  # records by the part of the key that names them

    def pack(self) -> bytes:
        """As bytes, to be kept."""
        return RECORD_FRONT + pack(msgspec.msgpack.encode(self))

    @classmethod
    def unpack(cls, data: bytes) -> "Snapshot":
        """The reverse of :meth:`pack`; :class:`StateError` if they are damaged, or of another version."""
        check_version("state snapshot", data)
        try:
            return msgspec.msgpack.decode(unpack(data[1:]), type=cls)
        except (ValueError, msgspec.DecodeError) as error:
            raise StateError(f"a state snapshot of {len(data)} bytes is damaged: {error}") from error


def take_snapshot(machines: Machines, stack: str, slot: int) -> Snapshot:
    """What ``stack`` knows of a machine that has been read back. Nothing changes by it, not even what counts as written."""
    one, machine = machines.stacks[stack], machines.names[slot]
    state = one.state
    core, moved_from = state.core[slot].copy(), int(state.moved_from[slot])
    written = Written()
    written.grow(slot + 1)
    written.chunks[slot] = int(core["readings"]) // CHUNK
    try:
        # As if a late reading had moved all of it: what no block holds travels in the head, and the memory is written.
        state.moved_from[slot] = 0
        for name in ("checkpoint", "view_part", "model_part"):
            state.core[name][slot] = 0
        parts, heads = RecordWriter(one, machines.layouts[stack], written).take(np.array([slot], np.int64))
    finally:
        state.core[slot], state.moved_from[slot] = core, moved_from
    return Snapshot(
        client_id=machine.client_id,
        machine_id=machine.machine_id,
        stack=stack,
        detector=one.detector,
        history=state.history,
        partition=machine.partition,
        last_offset=int(core["last_offset"]),
        readings=int(core["readings"]),
        model_digest=f"{int(core['model']):016x}" if core["model"] else None,
        model_rung=codes.RUNGS[int(core["rung"])] if core["model"] else None,
        model_since_offset=int(core["model_since"]) if core["model"] else None,
        parts={part.decode(): value for _, part, value in (*parts, *heads)},
    )


def put_snapshots(engine: Engine, snapshots: Iterable[tuple[Snapshot, ModelUpdate | None]]) -> None:
    """Let an engine that knows nothing yet begin where these machines stood, each with the model its snapshot names.

    Raises :class:`StateError` if a model is missing, or if the engine has another detector or another history.
    """
    packed: dict[str, bytes] = {}  # a fleet's model is that of many
    for one, model in snapshots:
        _check(engine, one, model)
        for part, value in one.parts.items():
            engine.restore(record_key(one.client_id, one.machine_id, one.stack, part.encode()), value)
        if model is not None and one.model_since_offset is not None:
            if model.digest not in packed:
                packed[model.digest] = pack_model(model, one.model_since_offset)
            key = record_key(one.client_id, one.machine_id, one.stack, _MODEL_PART)
            engine.restore(key, packed[model.digest])
    engine.finish_restore()


def _check(engine: Engine, one: Snapshot, model: ModelUpdate | None) -> None:
    stack = engine.stacks.get(one.stack)
    whose = f"the snapshot of machine {one.machine_id!r} of client {one.client_id!r}"
    if stack is None:
        raise StateError(f"{whose} is of stack {one.stack!r}, which is not switched on; add it to worker.stacks")
    here = (stack.detector, stack.state.history)
    if here != (one.detector, one.history):
        raise StateError(
            f"{whose} was taken with detector and history {(one.detector, one.history)}, here they are {here}; "
            "set worker.detectors to what it was then"
        )
    if one.model_digest is not None and (model is None or model.digest != one.model_digest):
        raise StateError(f"{whose} needs model {one.model_digest}, which was not given; look for it in the registry")
