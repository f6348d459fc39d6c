"""What the worker asks of the trainer, and what comes back."""

from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final, Literal, Self

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from schemas.readings import Identifier
from schemas.times import Moment

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]

#: More intervals no honest fit has: 100 trees of 256 samples give about 5,500 before neighbours are merged.
MOST_INTERVALS: Final = 20_000
#: More features no stack has.
MOST_FEATURES: Final = 64

#: The machine's name under which a client's fleet goes.
FLEET: Final = "*"

TrainingReason = Literal["first", "more_history", "daily", "manual", "feedback"]


class SourceRange(BaseModel):
    """The readings a model was made from."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: str
    partition: int = Field(ge=0)
    first_time: Moment
    last_time: Moment
    first_offset: int | None = Field(
        default=None, ge=0, description="No reading in it has a smaller offset; null where that is not known."
    )
    last_offset: int = Field(ge=0, description="Offset of the newest reading in it.")


class HeededFeedback(BaseModel):
    """What a person said, and training went by."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    feedback_id: str
    kind: Literal["confirm", "false_alarm"] = Field(description="confirm: left out of the history; false_alarm: in it.")
    by: str = Field(description="Who said it.")
    from_time: Moment = Field(description="Of the first reading of the history that it decides.")
    to_time: Moment = Field(description="Of the last one.")
    readings: int = Field(ge=1, description="How many it decides.")


class TrainingRequest(BaseModel):
    """Please fit a model to this machine's history. Key: ``machine_id``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    request_id: str = Field(
        description="``<stack>-<source partition>-<source offset>`` of the newest reading in it; where feedback made it due, "
        "behind it ``-<offset>`` of that."
    )
    client_id: Identifier
    machine_id: Identifier
    stack: str
    reason: TrainingReason
    features: list[str] = Field(min_length=1, max_length=MOST_FEATURES, description="Names of the stack's features.")
    medians: list[list[FiniteFloat]] = Field(
        description="For each feature its rolling medians, oldest first; never NaN."
    )
    readings: int = Field(ge=0, description="Readings of this machine so far.")
    source: SourceRange
    exclusions: list[tuple[Moment, Moment]] = Field(description="Stretches left out of the history.")
    feedback: list[HeededFeedback] = Field(default=[], description="What people said that decided what is left out.")
    parent_digest: Digest | None = Field(description="The model in force when the request was made.")
    seed: int = Field(ge=0, description="Random state of the fit; the same request gives the same model.")
    state: Base64Bytes | None = Field(
        default=None, description="Snapshot of the machine's state after the reading at ``source.last_offset``, base64."
    )


class FeatureModel(BaseModel):
    """A detector of one feature, compiled to a look-up.

    Interval ``i`` holds the values ``edges[i-1] < float32(x) <= edges[i]``; the last one has no upper end.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    feature: str
    edges: list[FiniteFloat] = Field(description="Upper ends of all intervals but the last, rising, exact in float32.")
    scores: list[FiniteFloat] = Field(
        max_length=MOST_INTERVALS, description="Raw score in each interval: one more than edges."
    )
    surprises: list[FiniteFloat] = Field(description="Surprise in each interval: one more than edges.")
    expected_low: FiniteFloat = Field(description="Usual values of the median lie between this ...")
    expected_high: FiniteFloat = Field(description="... and this.")

    @model_validator(mode="after")
    def _is_a_look_up(self) -> Self:
        if not len(self.edges) + 1 == len(self.scores) == len(self.surprises):
            raise ValueError("edges, scores and surprises do not belong together")
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("edges do not rise")
        if self.expected_low > self.expected_high:
            raise ValueError("expected_low is above expected_high")
        return self


class Activation(BaseModel):
    """Who put a model in force that was fitted earlier, when and why. The registry keeps it beside the model's entries."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    digest: Digest = Field(description="The model that was put in force.")
    manifest: str = Field(description="Its entry in the registry.")
    by: str = Field(min_length=1, max_length=200, description="Who did it.")
    why: str = Field(min_length=1, max_length=2_000, description="Why, in their words.")
    at: Moment = Field(description="When.")
    pinned: bool = Field(description="Whether it stays in force whatever is refitted; else the next refit replaces it.")
    replaces: Digest | None = Field(description="The model that was in force before; null where none was published.")

    def outlasts(self, fitted_at: datetime) -> bool:
        """Whether it counts for more than a model that was fitted then."""
        return self.pinned or self.at >= fitted_at


class ModelUpdate(BaseModel):
    """A model that shall be in force from now on. Key: ``<client_id>/<machine_id>/<stack>`` in the machine's own partition;
    a fleet's model goes to every partition.

    A fleet's features are in units of a machine's own spread: ``(median - reference) / spread``.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    digest: Digest = Field(description="First 16 hex digits of the SHA-256 of `features` as this JSON has them.")
    client_id: Identifier
    machine_id: Identifier = Field(description="``*`` for the client's fleet.")
    stack: str
    rung: Literal["own", "fleet"]
    detector: str
    features: list[FeatureModel] = Field(min_length=1, max_length=MOST_FEATURES)
    readings: int = Field(ge=0, description="How many medians it was fitted to.")
    fitted_at: Moment
    reason: TrainingReason
    request_id: str | None
    parent_digest: Digest | None
    manifest: str = Field(description="Where the registry keeps everything about it.")
    code_version: str
    git_commit: str
    activation: Activation | None = Field(
        default=None, description="Who put it in force, where that was not the trainer once it was fitted."
    )

    @model_validator(mode="after")
    def _is_a_fleet_s_or_a_machine_s(self) -> Self:
        if (self.rung == "fleet") != (self.machine_id == FLEET):
            raise ValueError("a fleet's model, and no other, is for machine *")
        return self

    @property
    def key(self) -> bytes:
        """Kafka key: a newer model of the same replaces it when the topic is compacted."""
        return f"{self.client_id}/{self.machine_id}/{self.stack}".encode()
