"""A notice: what the notifier tells a target. The body of a webhook; its headers are those of Standard Webhooks.

https://www.standardwebhooks.com: ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.incidents import Incident
from schemas.readings import Identifier
from schemas.times import Moment


class IncidentNotice(BaseModel):
    """One incident, opened or closed. Its ``webhook-id`` is made of its ``incident_id`` and state: the same on every try."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["incident.opened", "incident.closed", "incident.example"] = Field(
        description="incident.example: sent by hand, to try a target out."
    )
    timestamp: Moment = Field(description="Event time at which that happened.")
    link: str | None = Field(
        description="The incident on the dashboard; null where `notifier.dashboard_url` is not set."
    )
    data: Incident = Field(description="As on the topic.")


class StormedMachine(BaseModel):
    """A machine of those that a storm is made of."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    client_id: Identifier
    machine_id: Identifier
    peak_surprise: float = Field(description="Highest of its incidents.")


class Storm(BaseModel):
    """So many incidents at once that each of them alone would hide the rest."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    opened: int = Field(ge=0, description="Incidents that opened.")
    closed: int = Field(ge=0, description="Incidents that closed.")
    machines: int = Field(ge=1, description="How many different machines they are of.")
    first: Moment = Field(description="Event time of the first of them.")
    last: Moment = Field(description="Event time of the last.")
    worst: tuple[StormedMachine, ...] = Field(description="Up to twenty machines, the highest surprise first.")
    incident_ids: tuple[str, ...] = Field(description="All of them, in the order of the topic.")


class StormNotice(BaseModel):
    """Many incidents in one. Its ``webhook-id`` follows from what it sums up: the same on every try."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["incidents.storm"]
    timestamp: Moment = Field(description="Event time of the last of them.")
    link: str | None = Field(
        description="The incidents on the dashboard; null where `notifier.dashboard_url` is not set."
    )
    data: Storm


Notice = IncidentNotice | StormNotice
