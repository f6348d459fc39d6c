"""An incident: one stretch in which a machine's alert was open. It keeps one id from opening to close."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.labels import Rung
from schemas.readings import Identifier
from schemas.times import Moment


class Incident(BaseModel):
    """Sent when an alert opens and again, with the same ``incident_id``, when it closes. Key: ``machine_id``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    incident_id: str = Field(description="``<label_id of the label that opened it>`` with ``inc-`` before it.")
    state: Literal["opened", "closed"]
    client_id: Identifier
    machine_id: Identifier
    stack: str
    opened_at: Moment = Field(description="Event time of the label that opened it.")
    closed_at: Moment | None = Field(description="Event time of the label that closed it; null while it is open.")
    label_id: str = Field(description="The label that caused this message.")
    feature: str
    direction: Literal["high", "low"] = Field(description="Whether the peak lies above or below what is usual.")
    actual: float | None = Field(description="The scored median at the peak.")
    expected_low: float | None
    expected_high: float | None
    peak_surprise: float = Field(description="Highest surprise so far.")
    peak_at: Moment = Field(description="Event time of that peak.")
    readings: int = Field(ge=1, description="Labelled readings since it opened.")
    model_digest: str | None
    model_rung: Rung | None
    code_version: str
    git_commit: str
