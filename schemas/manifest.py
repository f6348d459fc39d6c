"""A manifest: everything there is to know about one model, beside it in the registry."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.readings import Identifier
from schemas.times import Moment
from schemas.training import Digest, HeededFeedback, SourceRange, TrainingReason


class Manifest(BaseModel):
    """``manifest.json`` of a registry entry. It is written last: where it is, the entry is complete."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = Field(default=1, description="Of this layout.")
    digest: Digest = Field(description="Of the model, as on every label it made.")
    client_id: Identifier
    machine_id: Identifier = Field(description="``*`` for the client's fleet.")
    stack: str
    rung: Literal["own", "fleet"]
    detector: str
    features: list[str]
    fitted_at: Moment
    reason: TrainingReason
    request_id: str | None = Field(description="The training request it answers; null for a fleet's model.")
    request_sha256: str | None = Field(description="SHA-256 of that request, so that it is known when it comes again.")
    parent_digest: Digest | None = Field(description="The model that was in force before.")
    readings: int = Field(ge=0, description="How many medians it was fitted to.")
    source: SourceRange | None = Field(description="The readings they come from; null for a fleet's model.")
    exclusions: list[tuple[Moment, Moment]] = Field(description="Stretches of them that were left out.")
    feedback: list[HeededFeedback] = Field(
        default=[], description="What people said that decided which; empty for a fleet's model, whose members name it."
    )
    members: dict[Identifier, Digest] = Field(description="For a fleet: its machines, and the model each had.")
    member_sources: dict[Identifier, SourceRange] = Field(
        default={}, description="For a fleet: the readings that its machines' medians come from."
    )
    parameters: dict[str, int] = Field(description="Of the fit.")
    seed: int = Field(ge=0)
    code_version: str
    git_commit: str
    tree_clean: bool | None = Field(description="Whether that commit is all there was; null where it cannot be known.")
    packages: dict[str, str] = Field(
        description="Versions of Python and of the libraries that have a say in the result."
    )
    state_offset: int | None = Field(
        default=None, ge=0, description="Offset of the last reading that `state.bin` holds; null where there is none."
    )
    files: dict[str, str] = Field(description="Name of every other file of the entry, and its SHA-256.")
