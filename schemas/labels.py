"""A label: what one stack thinks of one reading, and everything that made it think so."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.readings import Identifier
from schemas.times import Moment

Verdict = Literal["normal", "anomalous", "unscored"]

#: Why a reading was not scored.
UnscoredReason = Literal[
    "warming_up",  # too few readings, or no model yet
    "missing_signal",  # a signal the stack needs was not there, or was null or NaN
    "bad_quality",  # a sentinel, an infinity, a value no gauge can show, or quality "bad"
    "spike",  # a value far beyond this signal's steps, not confirmed by those after it yet
    "frozen",  # a value stands still for longer than is its way while others move
    "unit_changed",  # pressures jumped by the factor between two units, and stay there
    "stale_pair",  # by tag: the partner signal is older than the stale limit
    "too_late",  # older than the newest reading of its machine
    "duplicate",  # the same moment of the same machine again
]

#: Where an alert stands after this reading.
AlertState = Literal["quiet", "opened", "open", "closed"]

#: The step of the cold-start ladder whose model made the label.
Rung = Literal["own", "fleet", "online"]


class Label(BaseModel):
    """What one stack thinks of one reading. Key on the topic: ``machine_id``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    label_id: str = Field(
        description="``<stack>-<source partition>-<source offset>-<revision>``; the same on every try."
    )
    client_id: Identifier
    machine_id: Identifier
    stack: str = Field(description="The stack that judged.")
    event_time: Moment = Field(description="When the reading was measured.")
    signals: dict[str, float | None] = Field(description="What the stack looked at, pressures in psi.")
    feature: str = Field(description="The feature that drove the verdict, of those the stack computes.")
    value: float | None = Field(description="That feature; for the load stack the load in psi.")
    median: float | None = Field(description="Rolling median of the feature: the value that is scored.")
    expected_low: float | None = Field(description="Lower end of what the model takes as usual for the median.")
    expected_high: float | None = Field(description="Upper end of it.")
    score: float | None = Field(description="Raw score of the forest or online detector; null where there is none yet.")
    surprise: float | None = Field(description="-log10 of how often a healthy machine gives a value this far out.")
    views: dict[str, float] | None = Field(
        description="Where it is anomalous: surprise of each view of the detector, null where the detector has none."
    )
    because: str | None = Field(description="Where it is anomalous: which views drove it, in words.")
    label: Verdict
    reason: UnscoredReason | None = Field(description="Why it is unscored; null when it is scored.")
    alert: AlertState
    incident_id: str | None = Field(description="The open incident this label belongs to.")
    detector: str = Field(description="Name of the detector that scored.")
    model_digest: str | None = Field(description="SHA-256 prefix of the model that scored; null while there is none.")
    model_rung: Rung | None = Field(description="Whose model it was: its own, the fleet's, or learned online.")
    model_since_offset: int | None = Field(description="First source offset for which that model is in force.")
    code_version: str
    git_commit: str
    source_topic: str
    source_partition: int = Field(ge=0)
    source_offset: int = Field(ge=0)
    partner_offset: int | None = Field(description="By tag: offset of the reading that the other signal came with.")
    revision: int = Field(ge=0, description="0 at first, one more each time late data changes it.")
    supersedes: str | None = Field(description="The ``label_id`` this one replaces.")
