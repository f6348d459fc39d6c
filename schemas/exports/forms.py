"""The forms that a JSON Schema allows: references followed, alternatives taken apart, gathered by kind of value."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.exports.difference import Schema

ANY: Final = "anything"
_KINDS: Final = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (type(None), "null"),
                 (list, "array"), (dict, "object"))  # fmt: skip


def forms_by_kind(schema: Schema, root: Schema) -> dict[str, list[Schema]]:
    """What ``schema``, a part of ``root``, allows, by kind: string, number, boolean, null, array, object or anything.

    >>> forms_by_kind({"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/Name"}]}, {"$defs": {"Name": {"type": "string"}}})
    {'number': [{'type': 'integer'}], 'string': [{'type': 'string'}]}
    """
    found: dict[str, list[Schema]] = {}
    for form in _forms(schema, root):
        for kind in _kinds_of(form):
            group = found.setdefault("number" if kind == "integer" else kind, [])
            if form not in group:
                group.append(form)
    return found


def _forms(schema: Schema, root: Schema) -> Iterator[Schema]:
    """One schema for each form: references followed, alternatives and lists of types taken apart."""
    if "$ref" in schema:
        beside = _beside(schema, "$ref")
        yield from _forms({**_referred(str(schema["$ref"]), root), **beside}, root)
    elif (keyword := next((one for one in ("anyOf", "oneOf") if one in schema), None)) is not None:
        beside = _beside(schema, keyword)
        for one in schema[keyword]:
            yield from _forms({**beside, **one}, root)
    elif isinstance(schema.get("type"), list):
        for kind in schema["type"]:
            yield {**schema, "type": kind}
    else:
        yield schema


def _beside(schema: Schema, keyword: str) -> Schema:
    """What is demanded beside a keyword; words about a field are not those about its forms."""
    return {name: value for name, value in schema.items() if name not in (keyword, "title", "description", "default")}


def _referred(reference: str, root: Schema) -> Schema:
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    result: Schema = found
    return result


def _kinds_of(form: Schema) -> list[str]:
    values = values_of(form)
    if "type" in form:
        return [form["type"]]
    return [ANY] if values is None else sorted({_kind_of(value) for value in values})


def _kind_of(value: object) -> str:
    return next(kind for python, kind in _KINDS if isinstance(value, python))


def values_of(form: Schema) -> list[Any] | None:
    """All that a constant or an enumeration allows; None where it is neither."""
    if "const" in form:
        return [form["const"]]
    values: list[Any] | None = form.get("enum")
    return values
