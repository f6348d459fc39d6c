"""Which models were in force since when, as labels say it.

When a model comes depends on the clock, so each label names the model it was made with and since which offset that is in
force. All else an engine finds out by itself.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from models.engine.snapshots import Snapshot
from schemas.training import FLEET


class Adoption(NamedTuple):
    """A model in force in a partition."""

    since_offset: int
    client_id: str
    machine_id: str  # ``*`` for the fleet's
    stack: str
    digest: str


def named_by(label: Mapping[str, Any]) -> Adoption | None:
    """What a label says; None where no trained model was in force."""
    if label["model_digest"] is None or label["model_since_offset"] is None:
        return None
    whose = FLEET if label["model_rung"] == "fleet" else label["machine_id"]
    return Adoption(label["model_since_offset"], label["client_id"], whose, label["stack"], label["model_digest"])


def adoptions_in(labels: Iterable[Mapping[str, Any]]) -> list[Adoption]:
    """What labels of one partition say together, in the order in which the models came into force."""
    return sorted({one for label in labels if (one := named_by(label)) is not None})


def still_to_come(adoptions: Iterable[Adoption], snapshots: Iterable[Snapshot]) -> list[Adoption]:
    """Those that machines beginning with these snapshots have not had yet.

    A fleet's models all stay: other machines may begin earlier, and to one that has had them already they come again in the
    same order, before its first reading.
    """
    known = {(one.client_id, one.machine_id, one.stack): one.last_offset for one in snapshots}
    return [
        one
        for one in adoptions
        if one.machine_id == FLEET or one.since_offset > known.get((one.client_id, one.machine_id, one.stack), -1)
    ]
