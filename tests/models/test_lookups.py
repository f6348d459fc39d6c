"""Models come and go in few arrays, and those that stay are found as they were put in."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.lookups import Lookups
from schemas.training import FeatureModel, ModelUpdate
from tests.models.engines import model


def sized(digest: int, intervals: int) -> ModelUpdate:
    feature = FeatureModel(
        feature="load",
        edges=[float(digest + at) for at in range(intervals - 1)],
        scores=[digest + at / 1000 for at in range(intervals)],
        surprises=[float(at) for at in range(intervals)],
        expected_low=digest - 1.0,
        expected_high=digest + 1.0,
    )
    return model(digest=digest).model_copy(update={"features": [feature]})


def found(lookups: Lookups, row: int) -> tuple[Any, ...]:
    start, n = int(lookups.start[row, 0]), int(lookups.length[row, 0])
    return (
        lookups.digests[row],
        lookups.edges[start : start + n - 1].tolist(),
        lookups.scores[start : start + n].tolist(),
        lookups.surprises[start : start + n].tolist(),
        (lookups.low[row, 0], lookups.high[row, 0]),
    )


def as_put(one: ModelUpdate) -> tuple[Any, ...]:
    of = one.features[0]
    edges = np.array(of.edges, np.float32).tolist()
    return one.digest, edges, list(of.scores), list(of.surprises), (of.expected_low, of.expected_high)


@settings(deadline=None)
@given(
    refits=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 700)), min_size=1, max_size=300),
    machines=st.integers(1, 10),
)
def test_each_machine_finds_its_newest_model_as_it_was_put_in(refits: list[tuple[int, int]], machines: int) -> None:
    lookups = Lookups(1)
    rows = np.full(machines, -1)
    newest: dict[int, ModelUpdate] = {}
    for number, (machine, intervals) in enumerate(refits, 1):
        newest[machine % machines] = one = sized(number, intervals)
        rows[machine % machines] = lookups.add(one)
        moved = lookups.drop_unused(rows)
        if moved is not None:
            rows[rows >= 0] = moved[rows[rows >= 0]]
        assert lookups.index(one.digest) == rows[machine % machines]
    assert {at: found(lookups, int(rows[at])) for at in newest} == {at: as_put(one) for at, one in newest.items()}


def test_while_a_fleet_is_refit_for_ever_nothing_grows_and_nothing_is_moved() -> None:
    machines = 500
    lookups = Lookups(1)
    rows = np.array([lookups.add(sized(number + 1, 300)) for number in range(machines)])
    lookups.drop_unused(rows)
    room = lookups.edges.nbytes
    for number in range(machines, 6 * machines):
        rows[number % machines] = lookups.add(sized(number + 1, 290 + number % 20))
        assert lookups.drop_unused(rows) is None
    assert lookups.edges.nbytes == room
    assert len(lookups.digests) < machines + 100


def test_once_most_machines_are_gone_the_rest_is_moved_together() -> None:
    lookups = Lookups(1)
    models = [sized(number + 1, 300) for number in range(500)]
    rows = np.array([lookups.add(one) for one in models])
    room = lookups.edges.nbytes
    moved = lookups.drop_unused(rows[:100])
    assert moved is not None
    assert lookups.edges.nbytes < room / 3
    assert [found(lookups, int(moved[row])) for row in rows[:100]] == [as_put(one) for one in models[:100]]
    assert (moved[rows[100:]] == -1).all()


def test_a_model_that_is_not_whole_is_refused_and_takes_no_row() -> None:
    lookups = Lookups(1)
    whole = sized(1, 30)
    torn = whole.features[0].model_copy(update={"surprises": [1.0]})
    with pytest.raises(ValueError, match="edges and scores that do not fit"):
        lookups.add(whole.model_copy(update={"features": [torn]}))
    assert lookups.index(whole.digest) is None
    assert lookups.digests == []
