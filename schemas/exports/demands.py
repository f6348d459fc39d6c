"""What single keywords of a JSON Schema demand of a value, and how two schemas differ in it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from schemas.exports.difference import Effect, Schema
from schemas.exports.forms import values_of

_MORE, _LESS, _OTHER = Effect.MORE, Effect.LESS, Effect.OTHER

#: They only tell.
_WORDS: Final = ("$schema", "$defs", "$id", "title", "description", "examples", "default", "deprecated")
#: The higher, the less is allowed ...
_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
#: ... and the lower.
_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
#: Each value of them allows something else.
_EXACTLY: Final = ("pattern", "format", "contentEncoding", "contentMediaType", "multipleOf", "uniqueItems")
#: Read elsewhere.
_SHAPE: Final = ("type", "enum", "const", "anyOf", "oneOf", "$ref", "items", "prefixItems", "properties", "required",
                 "additionalProperties", "patternProperties", "propertyNames")  # fmt: skip
_UNDERSTOOD: Final = frozenset((*_WORDS, *_LEAST, *_MOST, *_EXACTLY, *_SHAPE))

Found = Iterator[tuple[str, Effect]]


def demands(old: Schema, new: Schema) -> Found:
    """Differences between two schemas of one kind of value, but for what is inside of it."""
    yield from _enumerated(old, new)
    yield from _whole(old, new)
    for keyword in (*_LEAST, *_MOST):
        yield from _bound(keyword, old.get(keyword), new.get(keyword))
    for keyword in _EXACTLY:
        yield from _exactly(keyword, old.get(keyword) or None, new.get(keyword) or None)
    for keyword in sorted((old.keys() | new.keys()) - _UNDERSTOOD):
        if old.get(keyword) != new.get(keyword):
            yield f"{keyword} differs, which this check cannot judge", _OTHER


def _enumerated(old: Schema, new: Schema) -> Found:
    then, now = values_of(old), values_of(new)
    if then is None and now is not None:
        yield f"may be {_listed(now)} alone", _LESS
    elif then is not None and now is None:
        yield f"may be more than {_listed(then)}", _MORE
    elif then is not None and now is not None:
        if more := [one for one in now if one not in then]:
            yield f"may be {_listed(more)}", _MORE
        if less := [one for one in then if one not in now]:
            yield f"is never {_listed(less)} any more", _LESS


def _listed(values: Sequence[Any]) -> str:
    return " or ".join(f"`{one}`" for one in values)


def _whole(old: Schema, new: Schema) -> Found:
    whole = (old.get("type") == "integer", new.get("type") == "integer")
    if whole == (False, True):
        yield "is always a whole number", _LESS
    elif whole == (True, False):
        yield "may be no whole number", _MORE


def _bound(keyword: str, old: float | None, new: float | None) -> Found:
    what = f"{keyword} is {_given(new)}, was {_given(old)}"
    if old is None or new is None:
        if old != new:
            yield what, _MORE if new is None else _LESS
    elif old != new:
        yield what, _LESS if (new > old) == (keyword in _LEAST) else _MORE


def _exactly(keyword: str, old: object, new: object) -> Found:
    if old != new:
        effect = _OTHER if old and new else _MORE if old else _LESS
        yield f"{keyword} is {_given(new)}, was {_given(old)}", effect


def _given(value: object) -> str:
    return "not given" if value is None else str(value)
