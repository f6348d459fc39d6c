"""What an audit finds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

#: Offenders that are named of each kind; all are counted.
MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Balance:
    """Where the readings are, for one stack. In order: ``readings == labels + held + rejected``."""

    stack: str
    readings: int
    labels: int
    held: int  # by tag: waited for their partner, whose label names both
    rejected: int

    @property
    def difference(self) -> int:
        """Readings that are nowhere, less those that are in two places."""
        return self.readings - self.labels - self.held - self.rejected


@dataclass(slots=True)
class Offence:
    """One kind of thing that must not be."""

    what: str
    count: int = 0
    named: list[str] = field(default_factory=list)  # the first few

    def add(self, where: str) -> None:
        """One more."""
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(where)


class Offences:
    """All kinds of them."""

    def __init__(self) -> None:
        self.kinds: dict[str, Offence] = {}

    def add(self, what: str, where: str) -> None:
        """One more of the kind ``what``."""
        self.kinds.setdefault(what, Offence(what)).add(where)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole of it."""

    balances: Sequence[Balance]
    labels: int  # different ones on the topic, revisions included
    sent_again: int  # repeated to the letter, as happens after a crash
    stored: int  # different ones in the table
    expired: int  # on the topic, no longer in the table, and old enough for that
    offences: Sequence[Offence]

    @property
    def in_order(self) -> bool:
        """Whether nothing is off."""
        return not self.offences and all(balance.difference == 0 for balance in self.balances)
