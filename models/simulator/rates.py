"""How much goes wrong, and from when on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.simulator.kinds import DEFECT_NAMES, EVENT
from schemas.errors import BadSettings


@dataclass(frozen=True, slots=True)
class Rates:
    """Factors on the rates of :mod:`models.simulator.kinds`: 1 as they are, 0 never, 10 ten times as often.

    ``quiet_ms``: no event starts sooner after the fleet's start than this, so that there is a normal history before it.
    ``early_wells``: so many of the first wells get one event each right after it, every ``early_step_ms`` another one.
    """

    events: float = 1.0
    defects: float = 1.0
    by_kind: Mapping[str, float] = field(default_factory=dict)  # a further factor of single kinds
    quiet_ms: int = 0
    early_wells: int = 0
    early_step_ms: int = 600_000

    def __post_init__(self) -> None:
        known = {*EVENT, *DEFECT_NAMES}
        unknown = sorted(set(self.by_kind) - known)
        if unknown:
            raise BadSettings(f"no event or defect is called {unknown[0]!r}; known are {', '.join(sorted(known))}")
        numbers = {"events": self.events, "defects": self.defects, **self.by_kind}
        for name, factor in numbers.items():
            if not 0 <= factor <= 10_000:
                raise BadSettings(f"the rate factor of {name} is {factor}; it must lie between 0 and 10000")
        if min(self.quiet_ms, self.early_wells, self.early_step_ms) < 0:
            raise BadSettings("quiet_ms, early_wells and early_step_ms cannot be negative")

    def factor(self, kind: str) -> float:
        """The factor in force for the event or defect called ``kind``."""
        return (self.events if kind in EVENT else self.defects) * self.by_kind.get(kind, 1.0)
