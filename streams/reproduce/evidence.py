"""All that a label was made of, and what of it is no longer there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from models.engine.snapshots import Snapshot
from models.stacks import STACKS, Stack, choose_stacks
from schemas.labels import Label
from schemas.training import ModelUpdate
from streams.replay.adoptions import Adoption
from streams.reproduce.places import Message

#: Where a label was found.
FoundIn = Literal["topic", "table", "file"]


@dataclass(frozen=True, slots=True)
class KeptSnapshot:
    """The machine's state to begin with, and where it is kept."""

    snapshot: Snapshot
    kept_in: str  # the manifest beside it


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything but code: the same evidence and the same commit make the same label."""

    label: Label
    found_in: FoundIn
    snapshot: KeptSnapshot | None  # None: from the oldest reading on
    adoptions: Sequence[Adoption]  # models that came into force after the snapshot, in order
    models: Mapping[tuple[str, str], ModelUpdate]  # by machine (``*`` for the fleet) and digest
    readings: Sequence[Message]  # the machine's, after the snapshot and some way beyond the label's own
    labels: Sequence[Label]  # the machine's of that stack that were given then, in the order in which they came
    message_bytes: int  # of the longest message that is taken for a reading
    fitted_to: tuple[float, float] | None  # least and largest of the medians that the label's model was fitted to
    missing: Sequence[str]  # sentences for people

    @property
    def model(self) -> ModelUpdate | None:
        """The model that the label names; None if it names none, or if that is gone."""
        whose = "*" if self.label.model_rung == "fleet" else self.label.machine_id
        return self.models.get((whose, self.label.model_digest or ""))


def stack_of(label: Label) -> Stack:
    """The stack that a label names. Raises :class:`schemas.errors.BadSettings` if this version has none of that name."""
    if label.stack in STACKS:
        return choose_stacks([label.stack])[0]
    general = choose_stacks(["general:" + ",".join(label.signals)])[0]
    return general if general.name == label.stack else choose_stacks([label.stack])[0]
