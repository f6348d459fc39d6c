"""What ``wellsentry explore`` found in readings: the JSON beside its page, for programs and for comparing two looks.

Pressures are psi. Shares lie between 0 and 1. What cannot be known of so few readings is null, not 0.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.readings import Identifier
from schemas.times import Moment


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Stretch(_Part):
    """From its first to its last moment."""

    start: Moment
    end: Moment
    readings: int = Field(ge=0, description="Readings in it; of a gap, how many are missing.")


class Sampling(_Part):
    """How often a machine is measured."""

    interval_s: float = Field(description="Median time from one reading to the next.")
    shortest_s: float = Field(description="5 % of the times are shorter.")
    longest_s: float = Field(description="5 % of the times are longer.")
    regular_share: float = Field(description="Share of the times within a tenth of the interval.")
    coverage: float = Field(description="Readings there are, of those there would be at this interval without gaps.")


class Gaps(_Part):
    """Stretches without any reading."""

    count: int
    total_s: float
    longest: list[Stretch] = Field(description="The longest, longest first.")


class Missing(_Part):
    """Readings in which one signal has no usable value."""

    count: int
    share: float
    by_cause: dict[str, int] = Field(description="``empty``, ``not_finite``, ``out_of_range``, or the sentinel it was.")
    longest: list[Stretch] = Field(description="The longest stretches, longest first.")


class FrozenStretch(Stretch):
    """A signal that stands still for longer than is its way."""

    value: float
    others_moved: bool = Field(
        description="False: nothing moved; then it may be the well, or the line, that stands still."
    )


class Histogram(_Part):
    """Counts between edges; what lies outside is counted beside them."""

    edges: list[float]
    counts: list[int] = Field(description="One fewer than edges.")
    below: int
    above: int


class Distribution(_Part):
    """How a signal's values lie."""

    mean: float
    standard_deviation: float
    minimum: float
    p1: float
    p5: float
    p25: float
    median: float
    p75: float
    p95: float
    p99: float
    maximum: float
    distinct: int = Field(description="How many different values.")
    step: float = Field(description="Smallest difference between two of them.")
    zero_share: float
    skewness: float | None = Field(description="Above 2 with values above 0: look at the logarithm. Null: never moves.")
    histogram: Histogram


class Daily(_Part):
    """How much the hour of the day (UTC) says about a signal."""

    days: int
    strength: float = Field(description="Share of the movement within days that every day repeats; 0: by chance.")
    by_hour: list[float | None] = Field(description="24 numbers: mean distance from the day's own mean.")
    amplitude: float = Field(description="Highest less lowest hour.")
    peak_hour: int = Field(description="The highest hour, UTC.")


class Cycles(_Part):
    """Cycles of a plunger, of heading or slugging: from one rise of the signal to the next."""

    signal: str
    count: int
    median_min: float
    p10_min: float
    p90_min: float
    a_day: float = Field(description="Cycles in a day at the median length.")
    longest: Stretch
    lengths_min: list[float] = Field(description="Of the cycles in their order, at most 500 evenly chosen.")


class SignalExploration(_Part):
    """One signal of one machine."""

    signal: str
    values: int = Field(description="Usable ones.")
    missing: Missing
    distribution: Distribution | None
    frozen: list[FrozenStretch] = Field(description="The longest, longest first.")
    frozen_count: int
    frozen_share: float = Field(description="Share of the span in which it is frozen while others move.")
    daily: Daily | None = Field(description="Null for less than three days.")
    straight_share: float | None = Field(
        description="Share of short stretches that lie on a line, as values do that were made up between two measured ones."
    )


class Correlation(_Part):
    """Two signals of one machine."""

    first: str
    second: str
    readings: int = Field(description="In which both are there.")
    pearson: float | None
    spearman: float | None
    lag_s: float | None = Field(description="When they agree best; above 0: the second follows the first.")
    at_lag: float | None = Field(description="Pearson's correlation at this lag.")


class UnitSuspicion(_Part):
    """A pressure that looks as if it were in another unit than all others, or than before."""

    client_id: Identifier
    machine_id: Identifier
    signal: str
    factor: float = Field(description="Values multiplied by this look like the rest.")
    looks_like: str = Field(description="The unit it seems to be in, where the rest ...")
    instead_of: str = Field(description="... is in this one.")
    since: Moment | None = Field(description="Null: all the time, compared with the other machines.")
    until: Moment | None = Field(description="Null: to the end.")


class Strange(_Part):
    """A stretch unlike the rest of its machine."""

    client_id: Identifier
    machine_id: Identifier
    start: Moment
    end: Moment
    signal: str = Field(description="The signal that is farthest from its usual.")
    measure: Literal["level", "spread"] = Field(description="What of it is unusual: its median or how much it moves.")
    value: float
    usual_low: float
    usual_high: float
    strangeness: float = Field(description="Distance from the usual in the machine's own spreads.")


class MachineExploration(_Part):
    """One machine."""

    client_id: Identifier
    machine_id: Identifier
    readings: int = Field(description="Moments with at least one value or mention.")
    first: Moment
    last: Moment
    repeated: int = Field(description="Readings that came again for the same moment.")
    out_of_order: int = Field(description="Readings that came after a newer one.")
    sampling: Sampling | None
    gaps: Gaps
    signals: list[SignalExploration]
    correlations: list[Correlation]
    cycles: Cycles | None = Field(description="Of the signal in which they are most regular; null: none found.")
    strange: list[Strange]
    family: int | None = Field(default=None, description="Number of its family; null for a machine alone.")
    nearest: list[str] = Field(default=[], description="Machines most like it, the nearest first.")


class Family(_Part):
    """Machines that resemble each other."""

    number: int
    machines: list[str]
    typical: str = Field(description="The one nearest to all others.")
    medians: dict[str, float] = Field(description="Median of the machines' medians, by signal.")


class Finding(_Part):
    """A sentence for the domain expert, and what to ask."""

    kind: Literal[
        "size", "sampling", "gap", "missing", "frozen", "straight", "unit", "load", "cycles", "daily", "correlation",
        "transform", "strange", "family", "order",
    ]  # fmt: skip
    machine: str | None = Field(description="Null: of all.")
    sentence: str
    question: str | None = Field(description="What the expert may know.")
    weight: float = Field(description="The heavier, the earlier it is told.")


class Exploration(_Part):
    """All that was found."""

    version: Literal[1] = Field(default=1, description="Of this layout.")
    code_version: str
    git_commit: str
    source: str = Field(description="Where the readings come from.")
    machines: list[MachineExploration]
    units: list[UnitSuspicion]
    families: list[Family]
    findings: list[Finding] = Field(description="The most important first.")
