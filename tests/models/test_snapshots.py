"""A machine's state as bytes: an engine that begins with it says what the one it was taken from says."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.engine import Engine
from models.engine.snapshots import Snapshot, put_snapshots, take_snapshot
from schemas.errors import StateError
from tests.models.engines import R, as_bytes, batch_of, labels_of, model, new_engine, restored, run
from tests.models.test_engine_runs import OPTIONS, UPDATES, engine_with_models, stretches

BY_DIGEST = {update.digest: update for update in UPDATES}


def snapshots_of(engine: Engine) -> list[Snapshot]:
    """One of each machine and stack, as they come back from where they were kept."""
    engine.read_back(engine.slots.values())
    taken = [take_snapshot(engine.machines, name, slot) for name in engine.stacks for slot in engine.slots.values()]
    return [Snapshot.unpack(one.pack()) for one in taken]


def begun_with(snapshots: list[Snapshot], **options: Any) -> Engine:
    """A new engine that begins there."""
    engine = new_engine(**options)
    put_snapshots(engine, [(one, BY_DIGEST.get(one.model_digest or "")) for one in snapshots])
    return engine


@pytest.mark.parametrize("options", OPTIONS, ids=["ensemble", "forest", "river"])
@settings(deadline=None, max_examples=15)
@given(readings=stretches(), cut=st.integers(0, 150), restart=st.integers(0, 150))
def test_labels_go_on_from_a_snapshot_to_the_letter(
    options: dict[str, Any], readings: list[R], cut: int, restart: int
) -> None:
    first = engine_with_models(**options)
    batch = batch_of(first, readings)
    cut = min(cut, len(batch))
    labels_of(first, batch.part(0, min(cut, restart)))
    if restart < cut:  # a restart before it makes no difference
        first = restored(first, UPDATES, **options)
        batch = batch_of(first, readings)
        labels_of(first, batch.part(restart, cut))
    second = begun_with(snapshots_of(first), **options)
    again = batch_of(second, readings)
    assert as_bytes(labels_of(second, again.part(cut, len(again)))) == as_bytes(
        labels_of(first, batch.part(cut, len(batch)))
    )


@pytest.mark.parametrize("options", OPTIONS[:2], ids=["ensemble", "forest"])
def test_a_snapshot_changes_nothing_of_what_is_written(options: dict[str, Any]) -> None:
    readings = [R(5.0 * i - 12 * (i % 50 == 49), 120.0 + i % 7, 20.0 + i % 11, "a") for i in range(700)]
    watched, alone = engine_with_models(**options), engine_with_models(**options)
    for first in range(0, 700, 23):
        for engine in (watched, alone):
            run(engine, readings[first : first + 23], first)
        take_snapshot(watched.machines, "load", 0)
        assert watched.records([("load", 0)], ()) == alone.records([("load", 0)], ())


def test_what_is_known_decides_the_bytes_and_not_what_was_written() -> None:
    readings = [R(float(i), 120.0 + i % 7, 20.0, "a") for i in range(500)]
    never, often = engine_with_models(**OPTIONS[0]), engine_with_models(**OPTIONS[0])
    run(never, readings)
    for first in range(0, 500, 50):
        run(often, readings[first : first + 50], first)
        often.records([("load", 0)], ())
    assert snapshots_of(never)[0] == snapshots_of(often)[0]


def test_machines_of_one_fleet_may_stand_at_different_models() -> None:
    engine = new_engine(**OPTIONS[0])
    fleet = [model("*", centre=0.0, spread=1.0 + digest, rung="fleet", digest=digest) for digest in (8, 9)]
    kept = []
    for number, update in enumerate(fleet):
        engine.adopt(update, 40 * number)
        run(engine, [R(float(m), 120.0 + m % 5, 20.0, f"well-{number}") for m in range(40)], 40 * number)
        kept.append((take_snapshot(engine.machines, "load", number), update))
    again = new_engine(**OPTIONS[0])
    put_snapshots(again, kept)
    labels = [run(again, [R(99.0, 121.0, 20.0, f"well-{number}")], 100 + number)[0] for number in (0, 1)]
    assert [(label.model_digest, label.model_since_offset) for label in labels] == [
        (fleet[0].digest, 0),
        (fleet[1].digest, 40),
    ]


def test_a_snapshot_that_does_not_fit_is_refused_in_words() -> None:
    (taken, *_) = snapshots_of(engine_with_models(**OPTIONS[0]))
    with pytest.raises(StateError, match=f"needs model {taken.model_digest}, which was not given"):
        put_snapshots(new_engine(**OPTIONS[0]), [(taken, None)])
    with pytest.raises(StateError, match=r"'ensemble', 128.*here they are \('isolation_forest', 128\)"):
        put_snapshots(new_engine(), [(taken, BY_DIGEST[taken.model_digest or ""])])
    with pytest.raises(StateError, match="layout ff"):
        Snapshot.unpack(b"\xff" + taken.pack()[1:])
    with pytest.raises(StateError, match="damaged"):
        Snapshot.unpack(taken.pack()[:-5])
