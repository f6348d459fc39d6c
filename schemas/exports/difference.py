"""What a difference between two JSON Schemas is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Schema = Mapping[str, Any]


class Effect(Enum):
    """What a difference does to the values that are allowed."""

    MORE = "more values are allowed"
    LESS = "fewer values are allowed"
    OTHER = "some values are allowed that were not, or not any more that were"
    GONE = "something that was named is named no more"
    ADDED = "something is named that was not"
    MEANING = "the same values mean something else"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference."""

    where: str  # as Label.signals[*]
    what: str
    effect: Effect
