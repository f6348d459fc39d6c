"""The messages as TypeScript types, made from their JSON Schemas.

``wellsentry schema`` has to write them where there is no Node, so no generator of Node's is used. What TypeScript cannot say
(bounds, patterns, whole numbers) is in the JSON Schemas alone.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from schemas.published import CONTRACT_VERSION, PUBLISHED
from schemas.topics import topics

Schema = Mapping[str, Any]

_HEAD: Final = f"""\
// Messages of wellsentry, contract version {CONTRACT_VERSION}. `wellsentry schema` makes this from the models in schemas/.

/** A moment: ISO 8601 in UTC, as 2026-11-24T02:44:10.000Z. */
export type Moment = string;
"""

_PLAIN: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_A_NAME: Final = re.compile(r"^[A-Za-z_$][\w$]*$")


def typescript_text() -> str:
    """A ``.d.ts`` file with a type for every message, and one that says which messages a topic holds."""
    _, found = models_json_schema([(model, "validation") for model in PUBLISHED], ref_template="{model}")
    declared = [_declared(name, schema) for name, schema in found["$defs"].items()]
    return "\n".join([_HEAD, *declared, _topics()])


def _topics() -> str:
    lines = [
        _member(topic.name.removeprefix("."), " | ".join(one.__name__ for one in topic.schemas), topic.about)
        for topic in topics("")
        if topic.schemas
    ]
    return _interface("Topics", lines, "What each topic holds, by its name without the prefix.")


def _declared(name: str, schema: Schema) -> str:
    about = str(schema.get("description", ""))
    if "properties" in schema:
        return _interface(name, _members(schema), about)
    return f"{_comment(about)}export type {name} = {type_of(schema)};\n"


def _interface(name: str, members: Iterable[str], about: str) -> str:
    inside = "".join(f"  {line}\n" for member in members for line in member.splitlines())
    return f"{_comment(about)}export interface {name} {{\n{inside}}}\n"


def _members(schema: Schema) -> list[str]:
    required = schema.get("required", ())
    members = [
        _member(name if name in required else f"{name}?", type_of(one), str(one.get("description", "")))
        for name, one in schema["properties"].items()
    ]
    if isinstance(schema.get("additionalProperties"), Mapping):
        # An index has to suit the named members as well, so it can say no more than that further ones are allowed.
        members.append("[name: string]: unknown;")
    return members


def _member(name: str, kind: str, about: str) -> str:
    plain = name.removesuffix("?")
    shown = name if _A_NAME.match(plain) else json.dumps(plain) + name[len(plain) :]
    return f"{_comment(about)}{shown}: {kind};"


def _comment(about: str) -> str:
    """A description as a comment; nothing in it can end the comment.

    >>> _comment("The ``label_id``. */")
    '/** The `label_id`. * / */\\n'
    """
    text = " ".join(about.replace("``", "`").replace("*/", "* /").split())
    return f"/** {text} */\n" if text else ""


def type_of(schema: Schema) -> str:
    """The TypeScript type of what a JSON Schema allows.

    >>> type_of({"anyOf": [{"type": "integer"}, {"type": "null"}]}), type_of({"type": "array", "items": {"$ref": "Label"}})
    ('number | null', 'Array<Label>')
    """
    for keyword, shown in _BY_KEYWORD.items():
        if keyword in schema:
            return shown(schema)
    kinds = schema.get("type", ())
    return " | ".join(_plain(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)) or "unknown"


def _plain(kind: str, schema: Schema) -> str:
    if kind == "array":
        return _array(schema)
    if kind == "object":
        return _object(schema)
    return "Moment" if schema.get("format") == "date-time" else _PLAIN[kind]


def _array(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(map(type_of, schema['prefixItems']))}]"
    return f"Array<{type_of(schema.get('items', {}))}>"


def _object(schema: Schema) -> str:
    if "properties" in schema:
        return f"{{ {' '.join(_members(schema))} }}"
    values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    return f"Record<string, {type_of(next((one for one in values if isinstance(one, Mapping)), {}))}>"


def _union(kinds: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(kinds))


_BY_KEYWORD: Final[Mapping[str, Callable[[Schema], str]]] = {
    "$ref": lambda schema: str(schema["$ref"]),
    "const": lambda schema: json.dumps(schema["const"]),
    "enum": lambda schema: _union(map(json.dumps, schema["enum"])),
    "anyOf": lambda schema: _union(map(type_of, schema["anyOf"])),
    "oneOf": lambda schema: _union(map(type_of, schema["oneOf"])),
}
