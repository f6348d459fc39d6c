"""What a change of the contract would break, and whether the version says so.

Who reads a message is broken by what did not come before; who writes one by what is no longer taken. In both cases a field
that goes breaks somebody, and one that comes nobody.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas.exports.difference import Difference, Effect, Schema
from schemas.exports.differences import differences

_BREAKS_READERS: Final = frozenset({Effect.MORE, Effect.OTHER, Effect.GONE})
_BREAKS_WRITERS: Final = frozenset({Effect.LESS, Effect.OTHER, Effect.GONE, Effect.MEANING})


@dataclass(frozen=True, slots=True)
class Contract:
    """All that others rely on."""

    version: str  # major.minor.patch
    schemas: Mapping[str, Schema]  # by name of the message
    asyncapi: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two contracts, and whether somebody has to change a program for it."""

    where: str
    what: str
    breaks: bool


def changes(old: Contract, new: Contract, read: Collection[str], written: Collection[str]) -> list[Change]:
    """All differences. ``read``: names of the messages that wellsentry reads and others write; ``written``: the reverse."""
    found = []
    for name in dict.fromkeys([*old.schemas, *new.schemas]):
        if name not in new.schemas:
            found.append(Change(name, "is gone", breaks=True))
        elif name not in old.schemas:
            found.append(Change(name, "is new", breaks=False))
        else:
            breaking = (_BREAKS_READERS if name in written else frozenset()) | (
                _BREAKS_WRITERS if name in read else frozenset()
            )
            found += _judged(differences(name, old.schemas[name], new.schemas[name]), breaking)
    return [*found, *_of_topics(old.asyncapi, new.asyncapi)]


def says_so(old: str, new: str, found: Iterable[Change]) -> bool:
    """Whether the newer version's number allows for the changes: what breaks somebody needs a higher major.

    >>> says_so("1.4.0", "1.5.0", [Change("Label.score", "is gone", breaks=True)])
    False
    """
    then, now = ([int(part) for part in version.split(".")] for version in (old, new))
    return now >= then and (now[0] > then[0] or not any(change.breaks for change in found))


def _judged(found: Iterable[Difference], breaking: Collection[Effect]) -> Iterator[Change]:
    for one in found:
        yield Change(one.where, one.what, breaks=one.effect in breaking)


def _of_topics(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    then, now = old["channels"], new["channels"]
    for name in dict.fromkeys([*then, *now]):
        where = f"topic {name}"
        if name not in now:
            yield Change(where, "is gone", breaks=True)
        elif name not in then:
            yield Change(where, "is new", breaks=False)
        else:
            yield from _of_topic(where, then[name], now[name])
    for name in old["components"]["messages"].keys() & new["components"]["messages"].keys():
        keys = [doc["components"]["messages"][name]["bindings"]["kafka"]["key"] for doc in (old, new)]
        if keys[0] != keys[1]:
            yield Change(f"key of {name}", f"is {keys[1]['description']}, was {keys[0]['description']}", breaks=True)


def _of_topic(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    if old["address"] != new["address"]:
        yield Change(where, f"is called {new['address']}, was {old['address']}", breaks=True)
    for message in old["messages"].keys() ^ new["messages"].keys():
        gone = message in old["messages"]
        yield Change(where, f"holds {'no ' if gone else ''}{message}{' any more' if gone else ''}", breaks=True)
    kept = [topic["bindings"]["kafka"]["topicConfiguration"] for topic in (old, new)]
    (policy_old, days_old), (policy_new, days_new) = ((one["cleanup.policy"], one["retention.ms"]) for one in kept)
    if policy_old != policy_new:
        yield Change(where, f"cleanup.policy is {policy_new}, was {policy_old}", breaks=True)
    if days_old != days_new:
        shorter = days_old == -1 or (days_new != -1 and days_new < days_old)
        yield Change(where, f"retention.ms is {days_new}, was {days_old}", breaks=shorter)
