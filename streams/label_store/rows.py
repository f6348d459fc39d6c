"""A label as the store handles it: the fields of :class:`schemas.labels.Label`, read several times faster.

pydantic defines and checks a label where it is made; here many thousands a second pass through, so msgspec reads them.
``tests/streams/test_label_store_rows.py`` holds the two against each other.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

from schemas.errors import BadReading
from schemas.labels import AlertState, Label, Rung, UnscoredReason, Verdict
from schemas.times import datetime_to_ms, iso

_Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]  # Kafka's offsets have 63 bits
_Offset = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]


class LabelRow(msgspec.Struct, frozen=True, gc=False):
    """One label. Fields, order and meaning are those of :class:`schemas.labels.Label`."""

    label_id: str
    client_id: _Identifier
    machine_id: _Identifier
    stack: str
    event_time: datetime
    signals: dict[str, float | None]
    feature: str
    value: float | None
    median: float | None
    expected_low: float | None
    expected_high: float | None
    score: float | None
    surprise: float | None
    views: dict[str, float] | None
    because: str | None
    label: Verdict
    reason: UnscoredReason | None
    alert: AlertState
    incident_id: str | None
    detector: str
    model_digest: str | None
    model_rung: Rung | None
    model_since_offset: _Offset | None
    code_version: str
    git_commit: str
    source_topic: str
    source_partition: _Count
    source_offset: _Count
    partner_offset: _Offset | None
    revision: _Count
    supersedes: str | None

    @property
    def time_ms(self) -> int:
        """Event time, epoch milliseconds."""
        return _since_1970(self.event_time)


class NotALabel(ValueError):
    """A record of the label topic that holds no label; the text says why."""


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: In these years no time is out of range; what else there is is looked at more closely.
_FIRST_YEAR: Final = 1970
_END_YEAR: Final = 2100
_decode: Final = msgspec.json.Decoder(LabelRow).decode
_encode: Final = msgspec.json.Encoder().encode


def decode_label(value: bytes | None) -> LabelRow:
    """The label in a record's value; :class:`NotALabel` if there is none."""
    if value is None:
        raise NotALabel("the record has no body")
    try:
        row = _decode(value)
        time = row.event_time
        if time.tzinfo is UTC and time.microsecond % 1000 == 0 and _FIRST_YEAR <= time.year < _END_YEAR:
            return row
        # Another zone, digits beyond milliseconds, or a broken clock.
        return msgspec.structs.replace(row, event_time=moment_at(datetime_to_ms(time)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, BadReading) as error:
        raise NotALabel(str(error)[:300]) from error


def _since_1970(time: datetime) -> int:
    since: timedelta = time - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def moment_at(time_ms: int) -> datetime:
    """Epoch milliseconds as a moment in UTC."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).replace(microsecond=time_ms % 1000 * 1000)


def to_row(label: Label) -> LabelRow:
    """The row of ``label``. NaN and infinities become null, as they do in JSON."""
    return decode_label(label.model_dump_json().encode())


def to_label(row: LabelRow) -> Label:
    """The pydantic label of ``row``."""
    return Label.model_validate({**msgspec.structs.asdict(row), "event_time": iso(row.time_ms)})


def letters(row: LabelRow) -> bytes:
    """All of ``row`` as bytes. Two labels are the same to the letter if, and only if, these are equal."""
    return _encode(row)


def usual_id(stack: str, partition: int, offset: int, revision: int) -> str:
    """The ``label_id`` that the engine gives."""
    return f"{stack}-{partition}-{offset}-{revision}"


def in_order(rows: Iterable[LabelRow]) -> list[LabelRow]:
    """``rows`` by event time, then source offset, then revision; of those equal to the letter only one is left."""
    distinct = {letters(row): row for row in rows}
    keyed = [(row.time_ms, row.source_offset, row.revision, text, row) for text, row in distinct.items()]
    keyed.sort(key=lambda entry: entry[:4])
    return [entry[4] for entry in keyed]
