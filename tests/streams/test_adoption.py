"""What may become a model in force: nothing that could not be read back, and nothing that is not what it says it is."""

import json
from typing import Any, NamedTuple

import pytest

from models.fitting import digest_of
from schemas.training import ModelUpdate
from streams.worker.adoption import adopt, announce, read_updates
from streams.worker.limits import Limits
from streams.worker.partition import Partition
from tests.models.engines import as_published, engine_of, model, new_engine


class Record(NamedTuple):
    key: bytes | None
    value: bytes | None
    topic: str = "models"
    partition: int = 0
    offset: int = 0


def sent(update: ModelUpdate, **changes: Any) -> Record:
    """``update`` as somebody might send it, who can write a digest too."""
    body = {**json.loads(as_published(update).model_dump_json()), **changes}
    return Record(update.key, json.dumps(body).encode())


def with_feature(**changes: Any) -> Record:
    """A model whose look-up was changed, its digest made to fit."""
    update = model()
    features = [one.model_copy(update=changes) for one in update.features]
    return sent(update, features=[one.model_dump() for one in features], digest=digest_of(features))


def partition(machines: int = 10) -> Partition:
    return Partition(new_engine(), Limits(65_536, machines))


class Told(list[str]):
    def __call__(self, message: str, *, action: str, **values: Any) -> None:
        self.append(f"{action}: {message}, {values['detail']}")


EDGES = model().features[0].edges
STRANGE = {
    "no JSON": Record(model().key, b"{"),
    "bad UTF-8": Record(model().key, b'{"digest": "\xff"}'),
    "NaN score": with_feature(scores=[float("nan")] * 13),
    "infinite edge": with_feature(edges=[*EDGES[:-1], float("inf")]),
    "unsorted edges": with_feature(edges=EDGES[::-1]),
    "equal edges": with_feature(edges=[1.0] * 12),
    "too few scores": with_feature(scores=[0.5]),
    "no intervals": with_feature(edges=[], scores=[], surprises=[]),
    "too many intervals": with_feature(
        edges=[float(n) for n in range(30_000)], scores=[0.5] * 30_001, surprises=[0.5] * 30_001
    ),
    "band upside down": with_feature(expected_low=9.0, expected_high=1.0),
    "wrong digest": sent(model(), digest="0123456789abcdef"),
    "somebody else's key": sent(model())._replace(key=b"acme/well-2/load"),
    "no key": sent(model())._replace(key=None),
    "a machine's model for the fleet": sent(model(), machine_id="*")._replace(key=b"acme/*/load"),
    "a fleet's model for a machine": sent(model(), rung="fleet"),
    "control character": sent(model(), machine_id="well\x1f1")._replace(key=b"acme/well\x1f1/load"),
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_what_is_no_model_is_left_out_and_told_and_the_others_are_not(strange: Record) -> None:
    told = Told()
    good = as_published(model("well-2"))
    assert read_updates([strange, sent(model("well-2"))], told) == [good]
    assert len(told) == 1
    assert told[0].startswith("model_refused: ")


@pytest.mark.parametrize("rung", ["own", "fleet"])
def test_a_model_for_other_features_changes_nothing_now_or_later(rung: str) -> None:
    one, told = partition(), Told()
    machine = "*" if rung == "fleet" else "well-1"
    assert announce(one, [as_published(model(machine, rung=rung, features=("load", "swing")))], told) == ([], [])
    assert len(told) == 1
    one.engine.slot("acme", "well-9")  # a machine that is new afterwards would be given its fleet's model


def test_models_let_no_more_machines_in_than_readings_would() -> None:
    one, told = partition(machines=3), Told()
    fitting, _ = announce(one, [as_published(model(f"well-{number}")) for number in range(5)], told)
    assert len(fitting) == 3
    assert len(one.engine.slots) == 3
    assert len(told) == 2
    fitting, records = announce(one, [as_published(model("well-0", centre=7.0))], told)
    assert len(fitting) == len(records) == 1, "one that is known goes on being served"


def test_a_model_for_a_stack_that_is_switched_off_is_none_of_ours() -> None:
    told = Told()
    assert announce(partition(), [as_published(model(stack="flow", features=("flow",)))], told) == ([], [])
    assert told == []


def test_a_model_that_was_announced_means_nothing_until_it_is_adopted() -> None:
    one = partition()
    before = as_published(model("well-1"))
    fitting, records = announce(one, [before])
    records += adopt(one, fitting)
    after = as_published(model("well-1", centre=7.0))
    fitting, announced = announce(one, [after])
    heads = adopt(one, fitting)
    assert in_force(records) == in_force([*records, *announced]) == before.digest
    assert in_force([*records, *announced, *heads]) == after.digest
    assert announce(one, [after])[1] == [], "it is in force already"


def test_a_fleet_s_model_that_comes_with_a_machine_s_own_does_not_hide_it() -> None:
    one = partition()
    one.engine.slot("acme", "well-1")
    own = as_published(model("well-1"))
    fitting, records = announce(one, [as_published(model("*", rung="fleet", centre=5.0)), own])
    assert in_force([*records, *adopt(one, fitting)]) == own.digest


def in_force(records: list[Any]) -> str:
    return f"{int(engine_of(records).stacks['load'].state.core[0]['model']):016x}"
