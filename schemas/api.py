"""What the dashboard's REST answers and takes, under ``/api/v1``. Incidents, labels and feedback are as on their topics."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.feedback import Feedback, FeedbackKind
from schemas.incidents import Incident
from schemas.labels import AlertState, Label, Rung, UnscoredReason, Verdict
from schemas.readings import Identifier
from schemas.times import Moment

Next = Annotated[
    str | None, Field(description="Give it as ``cursor`` for what comes after; null where nothing does just now.")
]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Answer(_Answer):
    """What people made of an incident, in short: the latest word on each question that was not undone."""

    verdict: Literal["confirm", "false_alarm"] | None
    acknowledged_by: str | None = Field(description="Who looks after it.")
    shelved_until: Moment | None = Field(description="It is to be quiet up to then.")
    comments: int = Field(ge=0, description="Feedback with words.")


class AnsweredIncident(Incident):
    """An incident, and what people said of it."""

    answer: Answer
    feedback: list[Feedback] = Field(description="What counts of it, in the order of the topic.")


class IncidentPage(_Answer):
    """Incidents, those first that opened last."""

    incidents: list[AnsweredIncident]
    next: Next


class MachineRow(_Answer):
    """One stack's view of one machine, as the dashboard shows it."""

    client_id: Identifier
    machine_id: Identifier
    stack: str
    area: str | None = Field(description="Where it stands, if the dashboard was told.")
    state: str = Field(description="silent, incident, anomalous, normal, or why it is unscored.")
    since: Moment = Field(description="Event time at which the state became what it is.")
    event_time: Moment = Field(description="Of the newest label.")
    heard_at: Moment = Field(description="When Kafka got that label.")
    label_id: str
    signals: dict[str, float | None]
    value: float | None
    median: float | None
    expected_low: float | None
    expected_high: float | None
    surprise: float | None
    surprises: list[float | None] = Field(description="Of the newest labels, oldest first.")
    label: Verdict
    reason: UnscoredReason | None
    alert: AlertState
    incident_id: str | None
    answer: Answer | None = Field(description="What people made of that incident; null where there is none.")
    urgency: float = Field(ge=0, description="How soon somebody should look: 0 for never.")
    why: str = Field(description="What is the matter, in words; empty where nothing is.")
    model_digest: str | None
    model_rung: Rung | None
    model_fitted_at: Moment | None


class MachinePage(_Answer):
    """Rows of machines, each machine and stack once over all pages."""

    machines: list[MachineRow]
    next: Next


class Machine(_Answer):
    """One machine: a row for each stack, and its incidents that are open."""

    client_id: Identifier
    machine_id: Identifier
    area: str | None
    rows: list[MachineRow]
    open_incidents: list[AnsweredIncident]


class LabelPage(_Answer):
    """Labels by event time; of each reading and stack the one that holds."""

    labels: list[Label]
    next: Next


class FeedbackGiven(BaseModel):
    """What is said. Who says it, when, and its id are not: they come from the sign-in, the clock, ``Idempotency-Key``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: Identifier
    machine_id: Identifier
    kind: FeedbackKind
    incident_id: str | None = Field(default=None, max_length=200, description="None: it is about the machine.")
    stack: str | None = Field(default=None, max_length=128, description="The incident's where it is not given.")
    text: str | None = Field(default=None, max_length=2_000, description="In your words.")
    from_time: Moment | None = Field(
        default=None, description="confirm, false_alarm: when the incident opened, if not given."
    )
    to_time: Moment | None = Field(default=None, description="When the incident closed, if not given.")
    until: Moment | None = Field(default=None, description="shelve: quiet up to then.")
    undoes: str | None = Field(
        default=None, max_length=64, description="undo: the ``feedback_id`` that counts no more."
    )


class StreamsOpen(_Answer):
    """Streams of events that are read just now."""

    open: int
    most: int


class Health(_Answer):
    """How the dashboard is doing, and what it knows of those machines that the asker may see."""

    caught_up: bool = Field(description="Whether all that was on the topics at its start has been taken in.")
    lag: int = Field(description="Labels on the topic that it has not taken in yet.")
    labels: int = Field(description="Labels it has taken in since its start.")
    labels_per_s: float = Field(description="Over the last minute at most.")
    skipped: int = Field(description="Records that were not what their topic promises.")
    machines: int
    states: dict[str, int] = Field(description="Rows by state.")
    open_incidents: int
    streams: StreamsOpen


class Problem(BaseModel):
    """An answer that is no success, as RFC 9457 has it (``application/problem+json``)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = Field(description="``urn:wellsentry:problem:`` and a code that stays the same, for programs.")
    title: str
    status: int
    detail: str = Field(description="What is wrong and what to do, in a sentence, for people.")
    wrong: list[str] = Field(default=[], description="Each part of the request that is wrong, and why.")
