"""What really happened: told beside the readings, so that a detector can be held against it."""

from dataclasses import dataclass

from models.simulator.kinds import Category


@dataclass(frozen=True, slots=True)
class Truth:
    """One event or defect of one well. A defect of single readings ends when it starts.

    Times are those of the world, in epoch milliseconds; a well whose clock is wrong stamps its readings otherwise.
    """

    machine_id: str
    category: Category
    kind: str
    start_ms: int
    end_ms: int  # exclusive, but for single readings
    signal: str | None  # if it concerns one signal only
    group: str | None  # the area, if many wells are hit at once
