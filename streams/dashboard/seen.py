"""What the dashboard reads of each topic's records: the fields it shows, and no others. Times are epoch milliseconds."""

from datetime import datetime
from typing import Any

import msgspec

from schemas.times import datetime_to_ms


class LabelSeen(msgspec.Struct, gc=False):
    """Of :class:`schemas.labels.Label`."""

    label_id: str
    client_id: str
    machine_id: str
    stack: str
    event_time: datetime
    signals: dict[str, float | None]
    value: float | None
    median: float | None
    expected_low: float | None
    expected_high: float | None
    surprise: float | None
    label: str
    reason: str | None
    alert: str
    incident_id: str | None
    model_digest: str | None
    model_rung: str | None
    source_partition: int
    source_offset: int
    revision: int
    at_offset: int = -1  # where it lies on its topic, in the partition of its reading

    @property
    def time_ms(self) -> int:
        """Event time."""
        return datetime_to_ms(self.event_time)


class StackSeen(msgspec.Struct, gc=False):
    """Of :class:`schemas.status.StackStatus`."""

    label_id: str
    event_time: datetime
    signals: dict[str, float | None]
    value: float | None
    median: float | None
    surprise: float | None
    label: str
    reason: str | None
    alert: str
    incident_id: str | None
    model_digest: str | None
    model_rung: str | None


class StatusSeen(msgspec.Struct, gc=False):
    """Of :class:`schemas.status.Status`."""

    client_id: str
    machine_id: str
    stacks: dict[str, StackSeen]


class IncidentSeen(msgspec.Struct, gc=False):
    """Of :class:`schemas.incidents.Incident`: all of it."""

    incident_id: str
    state: str
    client_id: str
    machine_id: str
    stack: str
    opened_at: datetime
    closed_at: datetime | None
    label_id: str
    feature: str
    direction: str
    actual: float | None
    expected_low: float | None
    expected_high: float | None
    peak_surprise: float
    peak_at: datetime
    readings: int
    model_digest: str | None
    model_rung: str | None
    code_version: str
    git_commit: str


class ModelSeen(msgspec.Struct, gc=False):
    """Of :class:`schemas.training.ModelUpdate`."""

    digest: str
    client_id: str
    machine_id: str
    stack: str
    rung: str
    readings: int
    fitted_at: datetime
    reason: str
    manifest: str


_label = msgspec.json.Decoder(LabelSeen).decode
_status = msgspec.json.Decoder(StatusSeen).decode
_incident = msgspec.json.Decoder(IncidentSeen).decode
_model = msgspec.json.Decoder(ModelSeen).decode

#: What a decoder raises of bytes that are not what they should be.
NOT_SEEN: tuple[type[Exception], ...] = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)


def see_label(value: bytes) -> LabelSeen:
    """A label. Raises one of :data:`NOT_SEEN`, as all of these do."""
    return _label(value)


def see_status(value: bytes) -> StatusSeen:
    """A machine's status."""
    return _status(value)


def see_incident(value: bytes) -> IncidentSeen:
    """An incident."""
    return _incident(value)


def see_model(value: bytes) -> ModelSeen:
    """A model, without what it judges by."""
    return _model(value)


def ms_or_none(moment: datetime | None) -> int | None:
    """Epoch milliseconds."""
    return None if moment is None else datetime_to_ms(moment)


def written(found: Any) -> bytes:
    """JSON. NaN and infinities become null."""
    return msgspec.json.encode(found)
