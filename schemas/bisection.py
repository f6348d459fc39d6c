"""What ``wellsentry replay --bisect`` found: the first model, or the first commit, by which labels are others."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.comparison import Comparison


class Bisection(BaseModel):
    """Where labels begin to be others than those of ``old``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    between: Literal["models", "commits"]
    old: str
    new: str
    candidates: int = Field(description="How many models or commits lie from old to new, both included.")
    tried: list[str] = Field(description="Those by which was replayed, in this order.")
    first: str | None = Field(description="The first one with other labels; null if even new has the same.")
    before: str | None = Field(description="The one before it, whose labels are those of old.")
    about: str | None = Field(description="What is known of the first one, in words.")
    comparison: Comparison | None = Field(description="Labels of old beside those of the first one.")
