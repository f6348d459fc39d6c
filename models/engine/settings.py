"""What the engine is told once: nothing of it depends on a machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Settings of all stacks of an engine."""

    pair_tolerance_ms: int = 1_000  # tags measured within this of each other are one reading
    pair_stale_ms: int = 600_000  # a partner's last value is held so long (wells.md: a deadband's heartbeat is 10 min)
    first_fit: int = 200  # readings before the first fit
    refits: bool = True
    history: int = 1_024  # readings of each machine that are kept
    least_valid_share: float = 0.25  # of the window must hold values before a median is scored
    detectors: Mapping[str, str] = field(default_factory=dict)  # by stack, in place of the stack's own
    warm_up: int | None = None  # readings, known to be normal, before anything is scored; None: as soon as it can be
