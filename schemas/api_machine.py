"""What the dashboard's REST answers about one machine: its past for a chart, a label that explains itself, its model."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.labels import Label, Rung
from schemas.manifest import Manifest
from schemas.times import Moment
from schemas.training import Activation, TrainingReason


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class HistoryColumns(_Answer):
    """A value for each label that is left, by event time. Numbers may be null, and have seven digits."""

    time_ms: list[int]
    partition: list[int] = Field(description="Of the reading. A label's id is stack-partition-offset-revision.")
    offset: list[int]
    revision: list[int]
    state: list[str] = Field(description="The verdict, or the reason why there is none.")
    value: list[float | None]
    median: list[float | None]
    expected_low: list[float | None]
    expected_high: list[float | None]
    surprise: list[float | None]
    signals: dict[str, list[float | None]] = Field(description="At most four.")
    gap_before: list[bool] = Field(description="Whether nothing came for long before it.")


class MachineHistory(_Answer):
    """A machine's past. Of each bucket are left the least and the largest of each column and a label of each state."""

    client_id: str
    machine_id: str
    stack: str
    from_ms: int
    to_ms: int
    labels: int = Field(description="So many there are in the stretch.")
    gap_ms: int = Field(description="What is longer than this between two labels is a gap; 0 where there are too few.")
    anomalous_at: float = Field(description="The surprise from which on a label is anomalous.")
    note: str | None = Field(description="What is missing of it, in words; null where nothing is.")
    columns: HistoryColumns


class Commands(_Answer):
    """What to type to find out more about a label."""

    reproduce: str = Field(description="Makes it again, and says what differs.")
    replay: str | None = Field(description="Judges the readings around it again; null where they came from no topic.")


class ExplainedLabel(_Answer):
    """A label with what a person asks about it."""

    label: Label
    found_in: Literal["topic", "table"]
    said: str = Field(description="What it says, in a line.")
    anomalous_at: float = Field(description="The surprise from which on its stack says anomalous.")
    commands: Commands


class ModelCurve(_Answer):
    """What a model makes of each value of a feature, in the machine's own units."""

    feature: str
    values: list[float]
    surprises: list[float]
    expected_low: float
    expected_high: float


class EarlierModel(_Answer):
    """A model that was in force before, or may be again."""

    digest: str
    fitted_at: Moment
    readings: int
    reason: TrainingReason
    command: str = Field(description="Puts it in force again.")


class MachineModel(_Answer):
    """The model that a machine is judged by."""

    digest: str | None = Field(description="Null while there is none.")
    rung: Rung | None
    manifest: Manifest | None = Field(description="Null where the registry has none, or cannot be read.")
    activation: Activation | None = Field(description="Who put it in force, where that was not the trainer.")
    anomalous_at: float
    curves: list[ModelCurve] = Field(description="One for each feature.")
    earlier: list[EarlierModel] = Field(description="Others of the same machine and stack, the newest first.")
    note: str | None = Field(description="What is missing of it, in words; null where nothing is.")
