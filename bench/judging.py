"""Holding alerts against the truth of a simulated fleet: false ones, found events, and how defects were handled."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.simulator import Truth

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
#: A well is not healthy at once when its trouble is over: liquid and pressure take some cycles to settle.
RECOVERY_MS: Final = 6 * HOUR_MS
#: An alert may come so long after the end of an event and still have found it.
GRACE_MS: Final = HOUR_MS
#: A broken sensor is found when so many readings are marked for it: no well is paged for an instrument ticket.
MARKED: Final = 5
#: By kind of sensor event: the reasons that recognise it.
SENSOR_REASONS: Final[Mapping[str, frozenset[str]]] = {
    "sensor_frozen": frozenset({"frozen"}),
    "sensor_dropped": frozenset({"missing_signal"}),
    "sensor_spiking": frozenset({"spike"}),
}
#: An event of many wells is found when this share of them says so.
OF_AREA: Final = 0.3


@dataclass(frozen=True, slots=True)
class Mark:
    """One alert that opened, or one reading that was marked with a reason."""

    machine_id: str
    at_ms: int  # world time
    reason: str | None = None


@dataclass(slots=True)
class Judgement:
    """Sums over one fleet, or several."""

    healthy_days: float = 0.0
    false_alerts: list[Mark] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    delays_ms: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def false_a_day(self) -> float:
        """False alerts per healthy well and day."""
        return len(self.false_alerts) / self.healthy_days if self.healthy_days else 0.0

    @property
    def found_share(self) -> float:
        """Share of all events that were found."""
        return sum(self.found.values()) / max(1, sum(self.events.values()))

    def add(self, other: "Judgement") -> None:
        """Take the sums of ``other`` in."""
        self.healthy_days += other.healthy_days
        self.false_alerts += other.false_alerts
        self.events += other.events
        self.found += other.found
        for kind, delays in other.delays_ms.items():
            self.delays_ms[kind] += delays


def judge_fleet(
    truths: Iterable[Truth],
    machines: Sequence[str],
    alerts: Sequence[Mark],
    reasons: Sequence[Mark],
    start_ms: int,
    end_ms: int,
) -> Judgement:
    """Judge what was said between ``start_ms`` and ``end_ms``. ``reasons``: readings of sensor defects, by reason."""
    events = [truth for truth in truths if truth.category == "event"]
    by_machine: dict[str, list[Truth]] = defaultdict(list)
    for event in events:
        by_machine[event.machine_id].append(event)
    made = Judgement()
    for machine in machines:
        made.healthy_days += _healthy_ms(by_machine[machine], start_ms, end_ms) / DAY_MS
    alerts = [mark for mark in alerts if start_ms <= mark.at_ms < end_ms]
    for mark in alerts:
        around = by_machine[mark.machine_id]
        if not any(event.start_ms <= mark.at_ms < event.end_ms + RECOVERY_MS for event in around):
            made.false_alerts.append(mark)
    _find(made, [event for event in events if _can_be_found(event, start_ms, end_ms)], alerts, reasons)
    return made


def _healthy_ms(events: Sequence[Truth], start_ms: int, end_ms: int) -> int:
    healthy, last = end_ms - start_ms, start_ms
    for event in sorted(events, key=lambda one: one.start_ms):
        first, until = max(event.start_ms, last), min(event.end_ms + RECOVERY_MS, end_ms)
        if until > first:
            healthy -= until - first
            last = until
    return healthy


def _can_be_found(event: Truth, start_ms: int, end_ms: int) -> bool:
    """Whether it began while we looked, and was half over before we stopped: an onset takes up to three weeks."""
    return start_ms <= event.start_ms and (event.start_ms + event.end_ms) / 2 <= end_ms


def _find(made: Judgement, events: Sequence[Truth], alerts: Sequence[Mark], reasons: Sequence[Mark]) -> None:
    groups: dict[tuple[str, str, int], list[Truth]] = defaultdict(list)
    for event in events:
        who = event.machine_id if event.group is None else event.group
        groups[event.kind, who, event.start_ms].append(event)
    alerts_of, reasons_of = _by_machine(alerts), _by_machine(reasons)
    for (kind, _, _), group in groups.items():
        delays = [
            delay
            for event in group
            if (delay := _delay(event, alerts_of.get(event.machine_id, ()), reasons_of.get(event.machine_id, ())))
            is not None
        ]
        made.events[kind] += 1
        if len(delays) >= max(1.0, OF_AREA * len(group)):
            made.found[kind] += 1
            made.delays_ms[kind].append(min(delays))


def _by_machine(marks: Sequence[Mark]) -> dict[str, list[Mark]]:
    made: dict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        made[mark.machine_id].append(mark)
    return made


def _delay(event: Truth, alerts: Sequence[Mark], reasons: Sequence[Mark]) -> int | None:
    """Time from the start of an event to its first alert or, of a sensor's, to its mark; None if it was missed."""
    until = event.end_ms + GRACE_MS
    first = [mark.at_ms for mark in alerts if event.start_ms <= mark.at_ms < until]
    wanted = SENSOR_REASONS.get(event.kind, frozenset())
    marked = [mark.at_ms for mark in reasons if mark.reason in wanted and event.start_ms <= mark.at_ms < until]
    if len(marked) >= MARKED:
        first.append(marked[MARKED - 1])
    return min(first) - event.start_ms if first else None
