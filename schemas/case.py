"""A case: all that a label was made of, in one directory that runs anywhere, and what came of making it again."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.readings import Identifier
from schemas.training import Digest

#: ``identical``: made again to the letter. ``differs``: made again otherwise. ``looked_up``: it could not be made again, but
#: the model gives what the label itself says. ``not_judged``: nor that.
Outcome = Literal["identical", "differs", "looked_up", "not_judged"]


class Difference(BaseModel):
    """A field of the label that came out otherwise."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    field: str
    then: Any = Field(description="As the label has it.")
    now: Any = Field(description="As it came out.")


class LookedUp(BaseModel):
    """What the model says of the median that the label carries, without any reading."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    score: float
    forest_surprise: float = Field(description="Surprise by the forest alone.")
    expected_low: float
    expected_high: float
    label: Literal["normal", "anomalous"] = Field(description="Verdict, by the label's surprise and the threshold.")
    disagrees: list[str] = Field(description="Fields of the label that say something else.")


class Reproduction(BaseModel):
    """What came of making a label again."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    label_id: str
    outcome: Outcome
    differences: list[Difference]
    why: list[str] = Field(description="Sentences for people: why it differs, or could not be made again.")
    looked_up: LookedUp | None = Field(description="Null where the model is gone, or had no say.")
    from_offset: int = Field(description="Offset of the state it began with; -1: from the oldest reading.")
    readings: int = Field(description="Messages that were judged again up to the label's.")
    code_version: str = Field(description="Of the code that made it again.")
    git_commit: str = Field(description="Of the code that made it again.")


class CaseModel(BaseModel):
    """A model that was in force."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    machine_id: Identifier = Field(description="``*`` for the client's fleet.")
    digest: Digest
    since_offset: int | None = Field(description="From which offset on; null: as the snapshot says.")
    manifest: str = Field(description="Where the registry has everything about it.")


class Case(BaseModel):
    """``case.json``. All paths are relative to its directory."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = Field(default=1, description="Of this layout.")
    label_id: str
    client_id: Identifier
    machine_id: Identifier
    stack: str
    found_in: Literal["topic", "table", "file"] = Field(description="Where the label was found.")
    label: str = Field(description="Path: the label as it was given.")
    labels: str = Field(description="Path: labels of the machine that were given then, one a line.")
    again: str = Field(description="Path: the same, made again; empty where that was not possible.")
    readings: str = Field(description="Path: the machine's messages, one a line.")
    models: list[CaseModel]
    snapshot: str | None = Field(description="Path: the machine's state to begin with; null: from the oldest reading.")
    snapshot_offset: int | None
    snapshot_from: str | None = Field(description="The registry's manifest beside which it was kept.")
    picture: str = Field(description="Path: PNG.")
    page: str = Field(description="Path: one HTML file.")
    plot: str = Field(
        description="Path: the code that draws the picture; it needs matplotlib and this directory alone."
    )
    fitted_to: tuple[float, float] | None = Field(
        description="Least and largest of the medians that the label's model was fitted to."
    )
    anomalous_at: float | None = Field(description="The stack's threshold; null where this version has no such stack.")
    message_bytes: int = Field(description="Longer messages were no readings.")
    missing: list[str] = Field(description="What was no longer there, in sentences.")
    code_version: str = Field(description="That made the label.")
    git_commit: str = Field(description="That made the label.")
    reproduction: Reproduction = Field(description="What came of it when the case was saved.")
    files: dict[str, str] = Field(description="Path of every other file, and its SHA-256.")
