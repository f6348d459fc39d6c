"""What ``wellsentry replay --diff`` found: labels made again beside those that were given then."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.times import Moment


class FieldChange(BaseModel):
    """One field of a label, then and now."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    then: Any
    now: Any


class Change(BaseModel):
    """A label that is another now."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    label_id: str
    client_id: str
    machine_id: str
    stack: str
    event_time: Moment
    size: float = Field(description="Difference of the surprises, and 100 more where the verdict is another.")
    fields: dict[str, FieldChange] = Field(description="The fields that differ.")


class MachineChange(BaseModel):
    """How much is different for one machine and stack."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    client_id: str
    machine_id: str
    stack: str
    changed: int
    missing: int
    new: int
    first_time: Moment = Field(description="Event time of the earliest label that is not as it was.")
    first_label_id: str


class Comparison(BaseModel):
    """All of it: ``labels_then`` = identical + only_ignored + changed + missing, ``labels_now`` the same with new."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    labels_then: int
    labels_now: int
    identical: int = Field(description="The same to the letter.")
    only_ignored: int = Field(description="The same but for fields that are ignored: another model that says the same.")
    changed: int
    missing: int = Field(description="Given then and not made now.")
    new: int = Field(description="Made now and not given then.")
    ignored: list[str] = Field(description="Fields in which labels may differ without counting as changed.")
    fields: dict[str, int] = Field(description="By field: in how many labels it differs.")
    verdicts: dict[str, int] = Field(description="Of changed labels: how many, by verdict then and now.")
    machines: list[MachineChange] = Field(description="Machines with differences, the most first.")
    largest: list[Change] = Field(description="The largest changes, the largest first.")

    @property
    def is_same(self) -> bool:
        """Whether nothing is different that counts."""
        return not (self.changed or self.missing or self.new)
