"""What a demo shall do."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Settings of one demo. Without addresses it brings its own broker, DynamoDB and registry."""

    broker: str | None = None
    dynamodb: str | None = None
    registry: Path | None = None
    refits: bool = True
    wells: int = 50
    seed: int = 0
    factor: float = 600.0  # so many times faster than life
    seconds: float | None = None  # ends by itself
    plain: bool = False  # a line a second instead of a board
    once: tuple[Path, ...] = ()  # files to stream instead of simulating
    report: Path | None = None
    labels_out: Path | None = None
