"""The short way in gives what the long one gives, message by message, and looks away where it must."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.batch import ReadingBatch
from models.engine.engine import Engine
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from schemas.rejected import Rejected
from streams.worker.intake import take_in, take_in_any
from streams.worker.limits import Limits
from streams.worker.partition import Output
from streams.worker.usual import take_in_usual

LIMITS = Limits(message_bytes=500, machines_per_client=3)


class Record(NamedTuple):
    offset: int
    key: bytes | None
    value: bytes | None
    topic: str = "readings"
    partition: int = 0
    timestamp: int = 0


def new_engine() -> Engine:
    return Engine(Machines(choose_stacks(["load", "flow", "general:pump_current"]), EngineSettings()))


def records_of(messages: Sequence[tuple[bytes | None, bytes | None]]) -> list[Record]:
    return [Record(offset, key, value) for offset, (key, value) in enumerate(messages)]


def plain(batch: ReadingBatch, rejected: Sequence[Rejected], engine: Engine) -> tuple[Any, ...]:
    columns = [getattr(batch, name).tolist() for name in ("offset", "time_ms", "tag", "quality")]
    values = [[None if np.isnan(x) else x for x in row] for row in batch.values.tolist()]
    machines = [engine.machines.names[slot] for slot in batch.slot.tolist()]
    return (*columns, values, machines, [(one.reason, one.source_offset) for one in rejected])


def usual(**fields: Any) -> tuple[bytes, bytes]:
    body = {"client_id": "acme", "machine_id": "well-1", "time": 1_700_000_000, "casing_pressure": 300.0, **fields}
    return body["machine_id"].encode(), json.dumps(body).encode()


NUMBERS = st.one_of(st.none(), st.just(9999), st.integers(-20, 5000), st.floats(-1e5, 1e5))
USUAL = st.builds(
    usual,
    machine_id=st.sampled_from(["well-1", "well-2", "well-3", "well-ü"]),
    client_id=st.sampled_from(["acme", "acme", "other"]),
    time=st.one_of(
        st.integers(1_600_000_000, 1_800_000_000),
        st.floats(1.6e9, 1.8e9),
        st.integers(1_600_000_000_000, 1_700_000_000_000),
        st.sampled_from(["2026-11-24T02:44:10Z", "2026-11-24T02:44:10.5", -5, 1e15]),
    ),
    casing_pressure=NUMBERS,
    tubing_pressure=NUMBERS,
    unit=st.sampled_from([None, None, None, "psi", "kPa", "bar"]),
    quality=st.sampled_from(["good", "good", "bad"]),
)
STRANGE = st.sampled_from(
    [
        (b"well-1", None),
        (None, usual()[1]),
        (b"well-2", usual()[1]),
        (b"well-1", b""),
        (b"well-1", b" "),
        (b"well-1", b"{}"),
        (b"well-1", b"[1]"),
        (b"well-1", b'{"machine_id": "well-1", "time": 1700000000}'),
        (b"well-1", b"x" * 600),
        usual(pump_current=7.5),
        usual(unit="furlong"),
        usual(time=10**310),
        usual(signals=[1]),
        usual(machine_id="well-4"),
        (b"well-1", json.dumps({"machine_id": "well-1", "time": 1, "tag": "Casing Pressure", "value": 5}).encode()),
        (b"well-1", usual()[1].replace(b", ", b",\n")),
        (b"well-1", usual()[1] + b"\n" + usual()[1]),
        (b"well\n1", usual(machine_id="well\n1")[1]),
    ]
)


@settings(deadline=None, max_examples=150)
@given(messages=st.lists(st.one_of(USUAL, USUAL, USUAL, STRANGE), min_size=1, max_size=12))
def test_a_run_is_taken_in_as_its_messages_are_one_by_one(messages: list[tuple[bytes | None, bytes | None]]) -> None:
    records = records_of(messages)
    one, other = new_engine(), new_engine()
    taken = take_in([(one, records)], LIMITS, "readings")
    assert plain(taken.batch, taken.rejected[0], one) == plain(*take_in_any(other, records, LIMITS, "readings"), other)


def short(messages: list[tuple[bytes | None, bytes | None]]) -> bool:
    """Whether the short way takes these."""
    return take_in_usual([(new_engine(), records_of(messages))], LIMITS) is not None


def test_what_nearly_all_messages_look_like_goes_the_short_way() -> None:
    assert short(
        [usual(), usual(time="2026-11-24T02:44:10Z"), usual(unit="bar"), usual(casing_pressure=None, flow_rate=1)]
    )


@pytest.mark.parametrize(
    "messages",
    [
        [usual(), (b"well-1", usual()[1] + b"\n" + usual()[1]), (b"well-1", b"")],
        [(b"well-1", b'{"machine_id":"well-1","time":1700000000,"unit":"p'), (b"well-1", b'si","flow_rate":1}')],
        [(b"a", usual(machine_id="a\nb")[1]), (b"b\nc", usual(machine_id="c")[1])],
        [usual(machine_id=f"well-{n}") for n in range(4)],
    ],
    ids=["two in one and none in another", "one in two", "keys that agree only as a whole", "too many machines"],
)
def test_messages_that_only_together_look_usual_go_the_long_way(messages: list[tuple[bytes, bytes]]) -> None:
    assert not short(list(messages))


def test_long_rejections_count_among_what_waits_to_be_sent() -> None:
    output = Output(labels=[(b"well", b"label")] * 10, rejected=[(b"well", b"x" * 87_000)] * 100)
    assert output.waiting > 10_000, "else a flood of nonsense would fill the memory while the broker is slow"
    assert Output(labels=[(b"well", b"label")] * 10).waiting == 10


def test_a_run_that_is_not_usual_lets_no_machine_in_by_what_is_refused() -> None:
    engine = new_engine()
    good = b'{"client_id":"acme","machine_id":"a","time":1767225600,"casing_pressure":1.0,"tubing_pressure":1.0}'
    silent = b'{"client_id":"acme","machine_id":"b","time":1767225600}'
    records = records_of([(b"a", good), (b"b", silent)])
    taken = take_in([(engine, records)], LIMITS, "readings")
    assert [one.source_offset for one in taken.rejected[0]] == [1]
    assert list(engine.slots) == [("acme", "a")]
