"""All differences between two JSON Schemas, and whether the newer one allows more or less.

For every value that one allows and the other does not there is a difference that says so. The other way round it errs on the
safe side: what it does not understand counts as both more and less. Fields that an open object does not name are passed over
by readers, so a further field is neither.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from schemas.exports.demands import demands
from schemas.exports.difference import Difference, Effect, Schema
from schemas.exports.forms import ANY, forms_by_kind

_MORE, _LESS, _OTHER = Effect.MORE, Effect.LESS, Effect.OTHER


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two schemas at one place, with the documents that their references point into."""

    where: str
    old: Schema
    new: Schema
    roots: tuple[Schema, Schema]
    seen: frozenset[str] = frozenset()  # the pairs that this one lies in

    def at(self, more: str, old: Schema, new: Schema) -> "_Pair":
        return replace(self, where=self.where + more, old=old, new=new)

    def says(self, what: str, effect: Effect) -> Difference:
        return Difference(self.where, what, effect)


def differences(name: str, old: Schema, new: Schema) -> list[Difference]:
    """All differences between two JSON Schemas of what is called ``name``, each once.

    >>> [(one.where, one.what) for one in differences("Label", {"type": "string"}, {"type": ["string", "null"]})]
    [('Label', 'may be null')]
    """
    return list(dict.fromkeys(_node(_Pair(name, old, new, (old, new)))))


def _node(pair: _Pair) -> Iterator[Difference]:
    this = json.dumps([pair.old, pair.new], sort_keys=True)
    if this in pair.seen:  # a schema that refers to itself
        return
    pair = replace(pair, seen=pair.seen | {this})
    if "default" in pair.old and "default" in pair.new and pair.old["default"] != pair.new["default"]:
        yield pair.says(f"left out it means {pair.new['default']!r}, not {pair.old['default']!r}", Effect.MEANING)
    old, new = forms_by_kind(pair.old, pair.roots[0]), forms_by_kind(pair.new, pair.roots[1])
    if ANY in new and ANY not in old:
        yield pair.says("may be anything", _MORE)
    elif ANY in old and ANY not in new:
        yield pair.says(f"may be {' or '.join(new)} alone", _LESS)
    else:
        for kind in dict.fromkeys([*old, *new]):
            yield from _kind(pair, kind, old.get(kind, []), new.get(kind, []))


def _kind(pair: _Pair, kind: str, old: list[Schema], new: list[Schema]) -> Iterator[Difference]:
    if not old:
        yield pair.says(f"may be {_shown(kind, new)}", _MORE)
    elif not new:
        yield pair.says(f"is never {_shown(kind, old)} any more", _LESS)
    else:
        for one in old:
            if one in new:  # what it refers to may differ
                yield from _form(pair.at("", one, one))
        yield from _rest(pair, kind, [one for one in old if one not in new], [one for one in new if one not in old])


def _rest(pair: _Pair, kind: str, old: list[Schema], new: list[Schema]) -> Iterator[Difference]:
    """Of several forms of one kind those that are not the same. Two with one title, or the only two, are compared."""
    for title in sorted({str(one["title"]) for one in old if "title" in one}):
        then, now = ([one for one in some if one.get("title") == title] for some in (old, new))
        if len(then) == len(now) == 1:
            yield from _form(pair.at("", then[0], now[0]))
            old, new = [one for one in old if one is not then[0]], [one for one in new if one is not now[0]]
    if len(old) == len(new) == 1:
        yield from _form(pair.at("", old[0], new[0]))
    elif old and new:
        yield pair.says(f"has other forms of {kind}", _OTHER)
    elif new:
        yield pair.says(f"may be another {_shown(kind, new)}", _MORE)
    elif old:
        yield pair.says(f"is never a certain {_shown(kind, old)} any more", _LESS)


def _shown(kind: str, forms: Sequence[Schema]) -> str:
    titles = [str(one["title"]) for one in forms if kind == "object" and "title" in one]
    return " or ".join(titles) or kind


def _form(pair: _Pair) -> Iterator[Difference]:
    for what, effect in demands(pair.old, pair.new):
        yield pair.says(what, effect)
    yield from _items(pair)
    yield from _fields(pair)
    yield from _names(pair)


def _items(pair: _Pair) -> Iterator[Difference]:
    first_old, first_new = pair.old.get("prefixItems", []), pair.new.get("prefixItems", [])
    rest_old, rest_new = _inside(pair.old.get("items", True)), _inside(pair.new.get("items", True))
    for number in range(max(len(first_old), len(first_new))):
        old = first_old[number] if number < len(first_old) else rest_old
        new = first_new[number] if number < len(first_new) else rest_new
        yield from _perhaps(pair, f"[{number}]", old, new)
    yield from _perhaps(pair, "[*]", rest_old, rest_new)


def _inside(given: Schema | bool) -> Schema | None:
    """A schema for what is inside; None: nothing may be."""
    if isinstance(given, bool):
        return {} if given else None
    return given


def _perhaps(pair: _Pair, where: str, old: Schema | None, new: Schema | None) -> Iterator[Difference]:
    if old is not None and new is not None:
        yield from _node(pair.at(where, old, new))
    elif new is not None:
        yield pair.at(where, {}, new).says("may be there", _MORE)
    elif old is not None:
        yield pair.at(where, old, {}).says("may not be there any more", _LESS)


def _fields(pair: _Pair) -> Iterator[Difference]:
    old, new = pair.old.get("properties", {}), pair.new.get("properties", {})
    others = (_inside(pair.old.get("additionalProperties", True)), _inside(pair.new.get("additionalProperties", True)))
    for name in dict.fromkeys([*old, *new]):
        here = pair.at(f".{name}", old.get(name, {}), new.get(name, {}))
        if name not in new:
            yield here.says("is gone", Effect.GONE)
        elif name not in old:
            yield from _added(here, others[0])
        else:
            yield from _node(here)
    needed_old, needed_new = pair.old.get("required", []), pair.new.get("required", [])
    for name in dict.fromkeys([*needed_old, *needed_new]):
        if (name in needed_old) != (name in needed_new):
            what, effect = ("may be left out", _MORE) if name in needed_old else ("has to be there", _LESS)
            yield pair.at(f".{name}", {}, {}).says(what, effect)
    yield from _perhaps(pair, ".*", *others)


def _added(here: _Pair, others: Schema | None) -> Iterator[Difference]:
    yield here.says("is new", Effect.ADDED)
    if others is None:
        yield here.says("is new where nothing further was allowed", _MORE)
    elif others:
        yield from _node(here.at("", others, here.new))


def _names(pair: _Pair) -> Iterator[Difference]:
    """Rules for the names of fields."""
    old, new = pair.old.get("patternProperties", {}), pair.new.get("patternProperties", {})
    if old.keys() != new.keys():
        yield pair.says("has other patterns of names", _OTHER)
    else:
        for pattern in old:
            yield from _node(pair.at(f".{pattern}", old[pattern], new[pattern]))
    if "propertyNames" in pair.old or "propertyNames" in pair.new:
        names = [{"type": "string", **one.get("propertyNames", {})} for one in (pair.old, pair.new)]
        yield from _node(pair.at(" (its names)", names[0], names[1]))
