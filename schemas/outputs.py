"""Outputs: what a handler answers. For Python, for JSON, for DynamoDB, and as a JSON Schema for who writes TypeScript."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from schemas.events import LookBackEvent
from schemas.labels import Rung
from schemas.times import Moment
from schemas.training import Digest

#: DynamoDB takes decimals and no floats, JSON has numbers only.
Whole = Annotated[Decimal, PlainSerializer(int, when_used="json"), WithJsonSchema({"type": "integer"})]
Number = Annotated[Decimal, PlainSerializer(float, when_used="json"), WithJsonSchema({"type": "number"})]

#: A moment as labels have it, ISO 8601 in UTC: of ten thousands of them none is read and written again.
WrittenTime = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class StackOutput(LookBackEvent):
    """What a stack thinks of a machine's readings. The three lists have an entry for each label, in the readings' order."""

    status: Literal["ok", "no_data"] = Field(default="no_data", description="no_data: there was no reading to judge.")
    stack: str
    from_time: Moment = Field(description="Readings from here on were asked for, up to `to_time`.")
    labels: list[Whole] = Field(default=[], description="-1 anomalous, 1 normal, 0 unscored.")
    times: list[WrittenTime] = Field(default=[], description="When each reading was measured.")
    surprises: list[Number | None] = Field(
        default=[], description="-log10 of how often a healthy machine gives a value this far out; null where unscored."
    )
    missing: list[str] = Field(default=[], description="Signals that the stack needs and no reading had.")
    alerts: int = Field(default=0, ge=0, description="Alerts that opened.")
    model_digest: Digest | None = Field(
        default=None, description="The model of the last label; null while there is none."
    )
    model_rung: Rung | None = Field(default=None, description="Whose model that is.")
    written: int | None = Field(
        default=None, description="Labels that DynamoDB did not hold yet and now does; null where none are written."
    )

    def item(self) -> dict[str, Any]:
        """The output as boto3's ``Table.put_item`` takes it, for a table of one's own."""
        made: dict[str, Any] = self.model_dump(mode="json")
        made["labels"] = list(self.labels)
        made["surprises"] = list(self.surprises)
        return made


class LoadADOutput(StackOutput):
    """What the load stack thinks: is there more liquid standing in the tubing than usual?"""

    stack: str = "load"


class RefusedEvent(BaseModel):
    """The answer to an event that cannot be used. Sending it again changes nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: Literal["bad_event"] = "bad_event"
    error: str = Field(description="What is wrong, in a sentence.")
    wrong: list[str] = Field(description="Each field that is wrong, and why.")


def json_schema(output: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema of an answer as it comes in JSON."""
    return output.model_json_schema(mode="serialization")
