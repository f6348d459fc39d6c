"""What could not be read, with the reason, whole unless it is longer than any reading. Nothing is dropped silently."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.times import Moment

RejectReason = Literal[
    "no_value",  # a record without a body
    "no_key",  # a record without a key: nobody can say which worker owns its machine
    "key_mismatch",  # the key names another machine than the body
    "too_large",  # more bytes than a reading can honestly need
    "not_json",  # not JSON, or not UTF-8
    "not_a_reading",  # JSON of another shape
    "bad_time",  # a time that is none, or outside 1970 to 2100
    "unknown_unit",  # a pressure unit nobody declared
    "too_many_machines",  # the client has more machines than it may
]


class Rejected(BaseModel):
    """One message that is no reading. Key and value are the original bytes (base64 in JSON)."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64")

    reason: RejectReason = Field(description="Stable code for programs.")
    detail: str = Field(description="What was wrong, for people.")
    source_topic: str
    source_partition: int = Field(ge=0)
    source_offset: int = Field(ge=0)
    produced_at: Moment | None = Field(default=None, description="The record's Kafka timestamp.")
    key: bytes | None = Field(default=None, description="The record's key as it came, or its first 1,024 bytes.")
    value: bytes | None = Field(
        default=None, description="The record's value as it came, or its first ``worker.max_message_bytes`` bytes."
    )
