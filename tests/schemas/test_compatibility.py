"""A change of a schema that breaks who reads or writes its messages is found, whatever it is, and a harmless one passes."""

import copy
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.exports.asyncapi import asyncapi
from schemas.exports.compatibility import Change, Contract, changes, says_so
from schemas.exports.difference import Effect
from schemas.exports.differences import differences
from schemas.incidents import Incident
from schemas.labels import Label
from schemas.readings import WideReading
from schemas.status import Status
from schemas.topics import topics
from schemas.training import TrainingRequest

Json = dict[str, Any]

# -- one kind of change each, on the schemas there are


def dropped(schema: Json, name: str) -> None:
    del schema["properties"][name]
    schema["required"] = [one for one in schema["required"] if one != name]


BREAKS_READERS: list[tuple[type, str, Callable[[Json], Any]]] = [
    (Label, "Label.score is gone", lambda s: dropped(s, "score")),
    (Label, "Label.label_id may be left out", lambda s: s["required"].remove("label_id")),
    (Label, "Label.label_id may be null", lambda s: s["properties"]["label_id"].update(type=["string", "null"])),
    (Label, "Label.label may be `odd`", lambda s: s["properties"]["label"]["enum"].append("odd")),
    (Label, "Label.label may be more", lambda s: s["properties"]["label"].pop("enum")),
    (Label, "Label.revision may be no whole number", lambda s: s["properties"]["revision"].update(type="number")),
    (Label, "Label.revision may be string", lambda s: s["properties"]["revision"].update(type="string")),
    (Label, "Label.signals.* may be array",
     lambda s: s["properties"]["signals"].update(additionalProperties={"type": "array"})),
    (Label, "Label.event_time format is not given", lambda s: s["properties"]["event_time"].pop("format")),
    (Label, "Label.value may be anything", lambda s: s["properties"].update(value={})),
    (Incident, "Incident.readings minimum is 0", lambda s: s["properties"]["readings"].update(minimum=0)),
    (Incident, "Incident.client_id maxLength is 200", lambda s: s["properties"]["client_id"].update(maxLength=200)),
    (Status, "Status.stacks.*.label is gone", lambda s: dropped(s["$defs"]["StackStatus"], "label")),
    (TrainingRequest, "TrainingRequest.exclusions[*][0] may be number",
     lambda s: s["properties"]["exclusions"]["items"]["prefixItems"][0].update(type="number")),
    (TrainingRequest, "TrainingRequest.features[*] may be null",
     lambda s: s["properties"]["features"]["items"].update(type=["string", "null"])),
]  # fmt: skip

BREAKS_WRITERS: list[tuple[type, str, Callable[[Json], Any]]] = [
    (WideReading, "WideReading.unit is gone", lambda s: dropped(s, "unit")),
    (WideReading, "WideReading.quality has to be there", lambda s: s["required"].append("quality")),
    (WideReading, "WideReading.well has to be there",
     lambda s: (s["properties"].update(well={"type": "number"}), s["required"].append("well"))),
    (WideReading, "WideReading.quality is never `bad`", lambda s: s["properties"]["quality"]["enum"].remove("bad")),
    (WideReading, "WideReading.machine_id maxLength is 64", lambda s: s["properties"]["machine_id"].update(maxLength=64)),
    (WideReading, "WideReading.machine_id minLength is 2", lambda s: s["properties"]["machine_id"].update(minLength=2)),
    (WideReading, "WideReading.machine_id pattern is ^w", lambda s: s["properties"]["machine_id"].update(pattern="^w")),
    (WideReading, "WideReading.time is never number", lambda s: s["properties"]["time"]["anyOf"].pop()),
    (WideReading, "WideReading.signals.* is never null",
     lambda s: s["properties"]["signals"]["additionalProperties"]["anyOf"].pop()),
    (WideReading, "WideReading.* may not be there any more", lambda s: s.update(additionalProperties=False)),
    (WideReading, "WideReading.quality left out it means 'bad'", lambda s: s["properties"]["quality"].update(default="bad")),
    (WideReading, "WideReading.area is never", lambda s: s["properties"].update(area={"type": "string"})),
    (WideReading, "WideReading not differs", lambda s: s.update({"not": {}})),
]  # fmt: skip

HARMLESS: list[tuple[type, Callable[[Json], Any]]] = [
    (Label, lambda s: (s["properties"].update(area={"type": "string"}), s["required"].append("area"))),
    (Label, lambda s: s["properties"].update(area={"type": "string"})),
    (Label, lambda s: s["properties"]["value"].update(description="Other words.", title="Another")),
    (Label, lambda s: s["properties"]["label"]["enum"].remove("unscored")),
    (Label, lambda s: s["properties"]["score"]["anyOf"].pop()),
    (Label, lambda s: s["required"].reverse()),
    (Status, lambda s: s["$defs"]["StackStatus"]["properties"].update(since={"type": "string"})),
    (WideReading, lambda s: s["required"].remove("machine_id")),
    (WideReading, lambda s: s["properties"]["quality"]["enum"].append("unknown")),
    (WideReading, lambda s: s["properties"]["machine_id"].update(maxLength=256)),
    (WideReading, lambda s: s["properties"].update(depth={"type": ["number", "null"]})),
]


def changed(model: Any, change: Callable[[Json], Any]) -> list[Change]:
    old = model.model_json_schema()
    new = copy.deepcopy(old)
    change(new)
    document = asyncapi(topics("{prefix}"))
    name = model.__name__
    side = {name}, set[str]()
    read, written = side if model is WideReading else side[::-1]
    return changes(Contract("1.0.0", {name: old}, document), Contract("1.0.0", {name: new}, document), read, written)


@pytest.mark.parametrize(
    ("model", "told", "change"),
    [*BREAKS_READERS, *BREAKS_WRITERS],
    ids=[told for _, told, _ in [*BREAKS_READERS, *BREAKS_WRITERS]],
)
def test_what_breaks_another_program_is_found_and_told(model: type, told: str, change: Callable[[Json], Any]) -> None:
    found = changed(model, change)
    assert [f"{one.where} {one.what}" for one in found if one.breaks and f"{one.where} {one.what}".startswith(told)], (
        found
    )
    assert not says_so("1.0.0", "1.4.0", found)
    assert says_so("1.0.0", "2.0.0", found)


@pytest.mark.parametrize(("model", "change"), HARMLESS)
def test_what_breaks_nobody_passes(model: type, change: Callable[[Json], Any]) -> None:
    found = changed(model, change)
    assert [one for one in found if one.breaks] == []
    assert says_so("1.0.0", "1.0.0", found)


def test_a_message_that_goes_breaks_and_one_that_comes_does_not() -> None:
    document = asyncapi(topics("{prefix}"))
    one, two = Contract("1.0.0", {"Label": {}}, document), Contract("1.0.0", {"Label": {}, "Incident": {}}, document)
    assert changes(two, one, (), ("Label", "Incident")) == [Change("Incident", "is gone", breaks=True)]
    assert changes(one, two, (), ("Label", "Incident")) == [Change("Incident", "is new", breaks=False)]


@pytest.mark.parametrize(
    ("told", "breaks", "change"),
    [
        ("topic labels is gone", True, lambda d: d["channels"].pop("labels")),
        ("topic alarms is new", False, lambda d: d["channels"].update(alarms={})),
        ("topic labels is called", True, lambda d: d["channels"]["labels"].update(address="{prefix}.verdicts")),
        ("topic labels holds no Label", True, lambda d: d["channels"]["labels"]["messages"].clear()),
        (
            "topic labels retention.ms is 86400000",
            True,
            lambda d: kept(d, "labels").update({"retention.ms": 86_400_000}),
        ),
        ("topic labels retention.ms is -1", False, lambda d: kept(d, "labels").update({"retention.ms": -1})),
        ("topic status retention.ms is 1", True, lambda d: kept(d, "status").update({"retention.ms": 1})),
        ("topic status cleanup.policy", True, lambda d: kept(d, "status").update({"cleanup.policy": ["delete"]})),
        ("key of Status is machine_id", True, lambda d: key_of(d, "Status").update(description="machine_id")),
    ],
)
def test_a_topic_s_name_key_and_retention_are_promised(told: str, breaks: bool, change: Callable[[Json], Any]) -> None:
    old = copy.deepcopy(dict(asyncapi(topics("{prefix}"))))
    new = copy.deepcopy(old)
    change(new)
    (found,) = changes(Contract("1.0.0", {}, old), Contract("1.0.0", {}, new), (), ())
    assert f"{found.where} {found.what}".startswith(told)
    assert found.breaks is breaks


def kept(document: Json, channel: str) -> Json:
    found: Json = document["channels"][channel]["bindings"]["kafka"]["topicConfiguration"]
    return found


def key_of(document: Json, message: str) -> Json:
    found: Json = document["components"]["messages"][message]["bindings"]["kafka"]["key"]
    return found


def test_a_lower_version_is_refused_and_a_schema_that_refers_to_itself_is_compared() -> None:
    assert not says_so("2.0.0", "1.9.0", [])
    tree: Json = {"$ref": "#/$defs/Node", "$defs": {"Node": {"type": "object", "properties": {
        "inside": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}, "name": {"type": "string"}}}}}  # fmt: skip
    other = copy.deepcopy(tree)
    other["$defs"]["Node"]["properties"]["name"]["type"] = "number"
    assert differences("Tree", tree, tree) == []
    assert {one.effect for one in differences("Tree", tree, other)} == {Effect.MORE, Effect.LESS}


# -- any two schemas

_FEW = st.integers(0, 2)
_SCALARS = st.one_of(
    st.just({"type": "null"}),
    st.just({"type": "boolean"}),
    st.fixed_dictionaries({"type": st.just("integer")}, optional={"minimum": _FEW, "maximum": st.integers(1, 3)}),
    st.fixed_dictionaries({"type": st.just("number")}, optional={"exclusiveMinimum": _FEW}),
    st.fixed_dictionaries({"type": st.just("string")}, optional={"minLength": _FEW, "maxLength": _FEW}),
    st.fixed_dictionaries({"enum": st.lists(st.sampled_from(["a", "b", 1, None]), min_size=1, unique=True)}),
    st.fixed_dictionaries({"const": st.sampled_from(["a", 1, True])}),
    st.fixed_dictionaries({"type": st.just(["string", "null"])}),
)


def _larger(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    named = st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2)
    return st.one_of(
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"maxItems": st.integers(0, 2)}),
        st.fixed_dictionaries({"type": st.just("array"), "prefixItems": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": named},
            optional={
                "required": st.lists(st.sampled_from(["x", "y"]), unique=True),
                "additionalProperties": st.just(False),
            },
        ),
        st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner}),
    )


SCHEMAS = st.recursive(_SCALARS, _larger, max_leaves=5)
_VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 2, 3, 1.5, "", "a", "b", "abc"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2),
    max_leaves=4,
)


def _names_nothing_new(value: Any, schema: Json) -> bool:
    """Whether every field of ``value`` is one that ``schema`` knows: others are passed over by agreement."""
    if isinstance(value, dict):
        return set(value) <= set(_named(schema)) and all(_names_nothing_new(one, schema) for one in value.values())
    return not isinstance(value, list) or all(_names_nothing_new(one, schema) for one in value)


def _named(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for one in schema for name in _named(one)]
    if not isinstance(schema, dict):
        return []
    extra = ["x", "y"] if isinstance(schema.get("additionalProperties"), dict) else []
    return [*schema.get("properties", {}), *extra, *(name for one in schema.values() for name in _named(one))]


@settings(max_examples=400, deadline=None)
@given(old=SCHEMAS, new=SCHEMAS, values=st.lists(_VALUES, min_size=5, max_size=12))
def test_whatever_one_schema_allows_and_the_other_does_not_is_told(old: Json, new: Json, values: list[Any]) -> None:
    effects = {one.effect for one in differences("it", old, new)}
    for value in values:
        then, now = (jsonschema.Draft202012Validator(one).is_valid(value) for one in (old, new))
        if now and not then and _names_nothing_new(value, new):
            assert effects & {Effect.MORE, Effect.OTHER, Effect.GONE}
        if then and not now and _names_nothing_new(value, old):
            assert effects & {Effect.LESS, Effect.OTHER, Effect.GONE}


@settings(max_examples=100, deadline=None)
@given(schema=SCHEMAS)
def test_a_schema_does_not_differ_from_itself(schema: Json) -> None:
    assert differences("it", schema, copy.deepcopy(schema)) == []
