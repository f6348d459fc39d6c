"""A machine's latest state, for boards that start in the middle. Compacted by key: only the newest is kept."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.labels import AlertState, Rung, UnscoredReason, Verdict
from schemas.readings import Identifier
from schemas.times import Moment


class StackStatus(BaseModel):
    """The latest label of one stack, in short."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    label_id: str
    event_time: Moment
    signals: dict[str, float | None]
    value: float | None
    median: float | None
    surprise: float | None
    label: Verdict
    reason: UnscoredReason | None
    alert: AlertState
    incident_id: str | None
    detector: str
    model_digest: str | None
    model_rung: Rung | None


class Status(BaseModel):
    """The latest of one machine. Key: ``<client_id>/<machine_id>``, in the machine's own partition."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    client_id: Identifier
    machine_id: Identifier
    readings: int = Field(ge=0, description="Readings of this machine that were labelled, of its busiest stack.")
    stacks: dict[str, StackStatus] = Field(description="By name of the stack.")
