"""What one target is still to be told, in which order, and how far its topic is done with.

A machine's notices go out in the order of the topic: one is not tried while an earlier one of the same machine is there.
A notice that keeps failing holds its own machine back and no other. Where several fail one after the other it is the target
that fails, and all of them wait.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from models.notices.backoff import LONGEST_ASKED_S, backoff_s
from models.notices.storm import ONE_BY_ONE, StormGuard
from schemas.incidents import Incident

Machine = tuple[str, str]  # client_id, machine_id


@dataclass(frozen=True, slots=True)
class Event:
    """A record of the incidents topic that is to be told. Not told by ``give_up_s``, it is given up."""

    partition: int
    offset: int
    incident: Incident
    give_up_s: float


@dataclass(slots=True, eq=False)
class Parcel:
    """What goes out as one notice: an event, or all events of a storm."""

    events: tuple[Event, ...]
    summed: bool = False  # by the storm guard
    failures: int = 0
    not_before_s: float = 0.0
    machines: frozenset[Machine] = field(init=False)
    give_up_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.machines = frozenset((one.incident.client_id, one.incident.machine_id) for one in self.events)
        self.give_up_s = max(one.give_up_s for one in self.events)

    @property
    def incidents(self) -> list[Incident]:
        """What it tells of, in the order of the topic."""
        return [one.incident for one in self.events]


class Outbox:
    """Of one target. Times are seconds of a clock that never goes back."""

    def __init__(self, guard: StormGuard) -> None:
        self._guard = guard
        self._parcels: list[Parcel] = []
        self._next: dict[int, int] = {}  # by partition: the offset behind the last one that was taken
        self._failing: set[Parcel] = set()  # which failed since one was told,
        self._failures = 0  # and how often
        self._paused_until_s = float("-inf")

    @property
    def waiting(self) -> int:
        """Events that are not told."""
        return sum(len(one.events) for one in self._parcels)

    def pass_over(self, partition: int, offset: int) -> None:
        """Take note of a record that is not to be told."""
        self._next[partition] = offset + 1

    def put(self, event: Event) -> None:
        """Have ``event`` told, after all that was put before of its machine."""
        self.pass_over(event.partition, event.offset)
        self._parcels.append(Parcel((event,)))

    def next(self, now_s: float) -> Parcel | float:
        """What to tell now, or when to ask again (infinity: once something was put)."""
        if now_s < self._paused_until_s:
            return self._paused_until_s
        singles = [one for one in self._parcels if not one.summed]
        verdict = self._guard.decide(len(singles), now_s) if singles else ONE_BY_ONE
        if verdict.what == "sum_up":
            self._sum_up(singles, now_s)
        again_s = verdict.until_s if verdict.what == "wait" else float("inf")
        for one in self._heads():
            if one.summed or verdict.what == "one_by_one":
                if one.not_before_s <= now_s:
                    return one
                again_s = min(again_s, one.not_before_s)
        return again_s

    def _heads(self) -> Iterator[Parcel]:
        """Parcels that have no earlier one of any of their machines before them."""
        seen: set[Machine] = set()
        for one in self._parcels:
            if seen.isdisjoint(one.machines):
                yield one
            seen |= one.machines

    def _sum_up(self, singles: list[Parcel], now_s: float) -> None:
        events = tuple(event for one in singles for event in one.events)
        self._parcels = [one for one in self._parcels if one.summed] + [Parcel(events, summed=True)]
        self._failing &= set(self._parcels)
        self._guard.summed_up(now_s)

    def told(self, parcel: Parcel, now_s: float) -> None:
        """It arrived."""
        self._failing.clear()
        self._failures = 0
        self._paused_until_s = float("-inf")
        if not parcel.summed:
            self._guard.told_one(now_s)
        self.drop(parcel)

    def drop(self, parcel: Parcel) -> None:
        """It is not to be told any more."""
        self._failing.discard(parcel)
        if parcel in self._parcels:  # or else all was forgotten in the meantime
            self._parcels.remove(parcel)

    def failed(self, parcel: Parcel, now_s: float, jitter: float, asked_s: float = 0.0) -> None:
        """It did not arrive, and is to be tried again; the target asked for ``asked_s`` of patience, or nothing."""
        parcel.failures += 1
        parcel.not_before_s = min(now_s + backoff_s(parcel.failures, jitter, asked_s), max(parcel.give_up_s, now_s))
        self._failing.add(parcel)
        self._failures += 1
        pause_s = backoff_s(self._failures - 1, jitter, asked_s) if len(self._failing) > 1 else asked_s
        self._paused_until_s = now_s + min(pause_s, LONGEST_ASKED_S)

    def committable(self) -> dict[int, int]:
        """By partition: the offset before which everything is told, given up or passed over."""
        found = dict(self._next)
        for one in self._parcels:
            for event in one.events:
                found[event.partition] = min(found[event.partition], event.offset)
        return found

    def forget(self) -> None:
        """Partitions went: whoever has them now begins where was committed."""
        self._parcels.clear()
        self._next.clear()
        self._failing.clear()
