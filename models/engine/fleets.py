"""Fleets' models of a partition: the one in force for each client and stack, and older ones that some machine's head names.

All machines of a fleet go over to a new model in one commit. Where that was cut off some heads name the model before, and the
next commit may be cut off too: so a model is written over only once no head names it.
"""

from collections.abc import Collection, Iterable
from itertools import count
from typing import NamedTuple

from schemas.training import ModelUpdate

#: Client and stack.
Whose = tuple[str, str]


class FleetModel(NamedTuple):
    """A fleet's model as the changelog has it."""

    update: ModelUpdate
    since_offset: int
    part: int  # which of the fleet's changelog records holds it


class FleetModels:
    """By client and stack; of each the last one is in force."""

    def __init__(self) -> None:
        self._of: dict[Whose, list[FleetModel]] = {}

    def in_force(self, whose: Whose) -> FleetModel | None:
        """The model for machines that are new, if there is one."""
        known = self._of.get(whose)
        return known[-1] if known else None

    def find(self, whose: Whose, digest: str) -> ModelUpdate | None:
        """The model of that digest, be it in force or named by a head only."""
        return next((one.update for one in self._of.get(whose, ()) if one.update.digest == digest), None)

    def adopt(self, whose: Whose, update: ModelUpdate, since_offset: int, named: Collection[str]) -> None:
        """Put a model in force, in a record of its own; ``named``: digests that heads of its machines name."""
        known = self._of.get(whose, [])
        if known and known[-1].update.digest == update.digest:
            return
        kept = [one for one in known if one is known[-1] or one.update.digest in named]
        part = next(number for number in count() if number not in {one.part for one in kept})
        self._of[whose] = [*kept, FleetModel(update, since_offset, part)]

    def restore(self, whose: Whose, models: Iterable[FleetModel]) -> None:
        """Take what the changelog has, in the order in which it was written."""
        self._of[whose] = sorted(models, key=lambda one: one.since_offset)
