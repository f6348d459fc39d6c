"""Small integers that the compiled steps use for words, and the words."""

from typing import Final, get_args

from schemas.labels import AlertState, UnscoredReason, Verdict

# What the intake made of a reading. SEEN and HELD get no label.
SEEN: Final = 0  # its offset is already part of the state: a repeat after a crash
HELD: Final = 1  # by tag, waits for its partner
SCORABLE: Final = 2
MISSING: Final = 3
BAD: Final = 4
STALE: Final = 5
LATE: Final = 6
DUPLICATE: Final = 7
WARMING: Final = 8  # scorable, but nothing can score it yet
SPIKE: Final = 9
FROZEN: Final = 10
UNIT: Final = 11
NOTHING: Final = 12  # an exact 0 or -1 that stands for no value

#: Kinds of values that were measured and not believed.
DOUBTED: Final = (SPIKE, FROZEN, UNIT, NOTHING)

#: The reason on the label, by the code above; None where it is scored.
REASONS: Final[dict[int, UnscoredReason]] = {
    MISSING: "missing_signal",
    BAD: "bad_quality",
    STALE: "stale_pair",
    LATE: "too_late",
    DUPLICATE: "duplicate",
    WARMING: "warming_up",
    SPIKE: "spike",
    FROZEN: "frozen",
    UNIT: "unit_changed",
    NOTHING: "bad_quality",
}

# How good one signal of a reading is.
GOOD: Final = 0
ABSENT: Final = 1
SPOILT: Final = 2

# Verdicts and alert states, in the order of their Literal types.
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
NORMAL: Final = VERDICTS.index("normal")
ANOMALOUS: Final = VERDICTS.index("anomalous")
UNSCORED: Final = VERDICTS.index("unscored")

ALERTS: Final[tuple[AlertState, ...]] = get_args(AlertState)
QUIET: Final = ALERTS.index("quiet")
OPENED: Final = ALERTS.index("opened")
OPEN: Final = ALERTS.index("open")
CLOSED: Final = ALERTS.index("closed")

# Whose model is in force.
NO_RUNG: Final = 0
OWN: Final = 1
FLEET: Final = 2
ONLINE: Final = 3
RUNGS: Final = (None, "own", "fleet", "online")
