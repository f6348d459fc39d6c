"""Feedback: what a person says about an incident or a machine. Nothing is changed afterwards; what was said can be undone."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.readings import Identifier
from schemas.times import Moment

FeedbackKind = Literal[
    "confirm",  # it was real: that stretch stays out of training
    "false_alarm",  # it was none: that stretch comes into training
    "comment",  # words alone
    "acknowledge",  # somebody looks after it
    "shelve",  # quiet until then
    "undo",  # what an earlier one said counts no more
]

#: About one stretch of one stack; the others may be about a machine as a whole.
_ABOUT_A_STRETCH = frozenset({"confirm", "false_alarm"})


class Feedback(BaseModel):
    """What a person said. Key: ``machine_id``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    feedback_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")] = Field(
        description="The same on every try of sending it."
    )
    client_id: Identifier
    machine_id: Identifier
    stack: str | None = Field(description="The stack it is about; null where it is about the machine.")
    incident_id: str | None = Field(max_length=200, description="The incident; null where it is about the machine.")
    kind: FeedbackKind
    by: str = Field(min_length=1, max_length=200, description="Who said it.")
    at: Moment = Field(description="When.")
    text: str | None = Field(default=None, max_length=2_000, description="In their words.")
    from_time: Moment | None = Field(default=None, description="Event time at which the stretch begins.")
    to_time: Moment | None = Field(default=None, description="Its last; null where it goes on still.")
    until: Moment | None = Field(default=None, description="shelve: quiet up to then.")
    undoes: str | None = Field(
        default=None, max_length=64, description="undo: the ``feedback_id`` that counts no more."
    )

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        if self.kind in _ABOUT_A_STRETCH and (self.stack is None or self.from_time is None):
            raise ValueError(f"{self.kind} is about a stretch: it needs stack and from_time")
        if self.kind == "comment" and not self.text:
            raise ValueError("a comment needs text")
        if (self.kind == "shelve") != (self.until is not None):
            raise ValueError("shelve, and nothing else, needs until")
        if (self.kind == "undo") != (self.undoes is not None):
            raise ValueError("undo, and nothing else, needs undoes")
        if self.from_time is not None and self.to_time is not None and self.to_time < self.from_time:
            raise ValueError("to_time is before from_time")
        return self
