"""Whether two engines are the same for all that is to come."""

import json
import random
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from models.engine.codes import OPEN
from models.engine.engine import Engine
from streams.worker.alone import Alone
from streams.worker.partition import Output
from tests.chaos.fleet import START_S

#: What depends on when state was written, and nothing else on it.
_BOOKKEEPING: Final = frozenset({"model_part", "view_part", "checkpoint"})
_COLUMNS: Final = ("quality", "reference", "spread", "ring_ms", "ring_signal", "ring_verdict", "ring_view", "recent")
_READINGS_TO_COME: Final = 40


def different_state(one: Engine, other: Engine) -> list[str]:
    """Machines and columns in which the stored state of two engines differs."""
    for engine in (one, other):
        engine.read_back(engine.slots.values())
    wrong = [f"only one knows {machine}" for machine in one.slots.keys() ^ other.slots.keys()]
    for machine in sorted(one.slots.keys() & other.slots.keys()):
        for stack in one.stacks:
            here, there = _stored(one, stack, machine), _stored(other, stack, machine)
            if columns := [name for name in here if here[name] != there[name]]:
                wrong.append(f"{machine} {stack}: {columns}")
    return wrong[:5] + ([f"... {len(wrong)} in all"] if len(wrong) > 5 else [])


def _stored(engine: Engine, stack: str, machine: tuple[str, str]) -> dict[str, bytes]:
    state, slot = engine.stacks[stack].state, engine.slots[machine]
    core = state.core[slot]
    found = {name: core[name].tobytes() for name in core.dtype.names or () if name not in _BOOKKEEPING}
    found |= {name: getattr(state, name)[slot].tobytes() for name in _COLUMNS}
    if core["alert"] == OPEN:
        found["alarm"] = state.alarm[slot].tobytes()
    if core["by_tag"]:
        names = ("pairing", "tag_value", "tag_ms", "tag_offset", "tag_quality")
        found |= {name: getattr(state, name)[slot].tobytes() for name in names}
    return found


class _Record(NamedTuple):
    key: bytes
    value: bytes
    offset: int
    topic: str = "to-come"
    partition: int = 0
    timestamp: int = 0


def different_labels_to_come(one: Alone, other: Alone, seed: int) -> list[str]:
    """Feed both the same further readings, some of them late or far out, and compare what comes of it."""
    machines = sorted(one.engine.slots)
    if machines != sorted(other.engine.slots):
        return ["they know different machines"]
    records = _to_come(machines, 1 + max(one.next_offset, other.next_offset), seed)
    one.take_output()
    other.take_output()
    one.judge(records)
    other.judge(records)
    here, there = _said(one.take_output()), _said(other.take_output())
    return [f"{len(here ^ there)} records differ, as {min(here ^ there)!r}"] if here != there else []


def _to_come(machines: Sequence[tuple[str, str]], first_offset: int, seed: int) -> list[_Record]:
    rng = random.Random(f"{seed}/to come")
    made: list[_Record] = []
    for minute in [n + rng.choice([0, 0, 0, -3]) for n in range(_READINGS_TO_COME)]:
        for client, machine in machines:
            far = 100.0 if rng.random() < 0.1 else 0.0
            body: dict[str, Any] = {
                "client_id": client,
                "machine_id": machine,
                "time": START_S + 10**7 + 60 * minute,
                "casing_pressure": 300.0 + far + rng.gauss(0, 3),
                "tubing_pressure": 200.0,
            }
            made.append(_Record(machine.encode(), json.dumps(body).encode(), first_offset + len(made)))
    return made


def _said(output: Output) -> set[bytes]:
    return {value or b"" for records in (output.labels, output.incidents, output.training) for _, value in records}
