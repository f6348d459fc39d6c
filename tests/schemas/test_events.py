"""Events and outputs: what is wrong is named, what is too much is cut, numbers stay numbers."""

import contextlib
import json
import logging
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadEvent
from schemas.events import LookBackEvent, read_event
from schemas.outputs import LoadADOutput, json_schema

EVENT = {"client_id": "acme", "machine_id": "well-7", "lookback": 30}


def output(**fields: Any) -> LoadADOutput:
    return LoadADOutput.model_validate({**EVENT, "from_time": "2026-11-01", "to_time": "2026-12-01", **fields})


def test_more_than_90_days_are_90_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert LookBackEvent.model_validate({**EVENT, "lookback": 91}).lookback == 90
        assert "91 days" in caplog.text
        caplog.clear()
        assert LookBackEvent.model_validate({**EVENT, "lookback": 90}).lookback == 90
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("event", "names"),
    [
        ({**EVENT, "lookback": 0}, "lookback"),
        ({**EVENT, "lookback": -3}, "lookback"),
        ({**EVENT, "lookback": "soon"}, "lookback"),
        ({**EVENT, "lookback": 1e400}, "lookback"),
        ({**EVENT, "machine_id": "*"}, "machine_id"),
        ({**EVENT, "client_id": ""}, "client_id"),
        ({**EVENT, "to_time": "yesterday"}, "to_time"),
        ({"machine_id": "well-7"}, "client_id"),
        (["well-7"], "list"),
        (None, "NoneType"),
    ],
)
def test_what_is_wrong_with_an_event_is_named(event: Any, names: str) -> None:
    with pytest.raises(BadEvent) as refused:
        read_event(event)
    assert any(names in one for one in refused.value.wrong)


texts = st.sampled_from(["", "a", "*", "\x00", "é" * 200, "2026-11-24", "7"])
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.lists(texts, max_size=2), st.just({"a": [None]})
)


@given(st.dictionaries(st.sampled_from([*EVENT, "to_time", "detail"]), anything))
def test_an_event_is_read_or_refused_whatever_it_is(event: dict[str, Any]) -> None:
    with contextlib.suppress(BadEvent):
        assert 1 <= read_event(event).lookback <= 90


def test_an_output_is_decimal_for_dynamodb_and_numbers_in_json() -> None:
    made = output(labels=[-1, 1, 0], surprises=["4.25", "0.1", None], times=["2026-11-02T03:04:05.000Z"] * 3)
    assert made.labels == [Decimal(-1), Decimal(1), Decimal(0)]
    assert made.item()["surprises"] == [Decimal("4.25"), Decimal("0.1"), None]
    in_json = json.loads(made.model_dump_json())
    assert (in_json["labels"], in_json["surprises"]) == ([-1, 1, 0], [4.25, 0.1, None])
    assert in_json["times"][0] == "2026-11-02T03:04:05.000Z"


def test_the_json_schema_is_that_of_the_json() -> None:
    schema = json_schema(LoadADOutput)["properties"]
    assert schema["labels"]["items"] == {"type": "integer"}
    assert schema["times"]["items"]["type"] == "string"
    assert {one["type"] for one in schema["surprises"]["items"]["anyOf"]} == {"number", "null"}
