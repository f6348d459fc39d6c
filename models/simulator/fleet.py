"""A fleet of simulated wells: readings in the order in which they arrive, and the truth beside them."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from models.batches import Machine, WideBatch
from models.simulator.defects import Arrived
from models.simulator.kinds import EVENT, LIFTS, SIGNALS, Category, Lift
from models.simulator.rates import Rates
from models.simulator.run import CHUNKS_A_DAY, WellRun
from models.simulator.schedule import DAY_MS, HOUR_MS, DayPlan, Event, area_events, well_days
from models.simulator.truth import Truth
from models.simulator.wells import Well, draw_area, draw_well
from schemas.errors import BadSettings


class Fleet:
    """``wells`` wells from ``start_ms`` on. The same seed gives the same readings, to the last bit.

    A well does not depend on how many others there are, and readings until one moment are the first part of those until
    a later one. Nothing is kept: :meth:`readings` and :meth:`truth` start anew each time they are called.
    """

    def __init__(
        self,
        seed: int,
        wells: int,
        start_ms: int,
        client_id: str = "acme",
        rates: Rates | None = None,
        kinds: Sequence[Lift] = LIFTS,
    ) -> None:
        if not 1 <= wells <= 1_000_000:
            raise BadSettings(f"a fleet has 1 to 1000000 wells, not {wells}")
        if seed < 0:
            raise BadSettings(f"the seed is {seed}; it cannot be negative")
        self.seed = seed
        self.start_ms = start_ms
        self.client_id = client_id
        self.rates = rates or Rates()
        self._count = wells
        self._kinds = tuple(kinds)
        draw_well(seed, 0, self._kinds, self.rates)  # says at once if the kinds are wrong

    @cached_property
    def wells(self) -> tuple[Well, ...]:
        """All wells with their parameters."""
        return tuple(draw_well(self.seed, index, self._kinds, self.rates) for index in range(self._count))

    @cached_property
    def machines(self) -> tuple[Machine, ...]:
        """The wells as the readings name them."""
        return tuple(Machine(self.client_id, well.machine_id, SIGNALS) for well in self.wells)

    def readings_a_day(self) -> float:
        """About how many readings a day of the fleet has."""
        return sum(86_400 / well.interval_s for well in self.wells)

    def readings(self, until_ms: int | None = None) -> Iterator[WideBatch]:
        """Readings that arrive before ``until_ms`` (or without end), by arrival, an hour's worth in each batch.

        What a gap holds back beyond ``until_ms`` has not arrived by then and is not among them.
        """
        runs = [WellRun(self.seed, well, self.rates) for well in self.wells]
        areas: dict[int, list[Event]] = {well.area.index: [] for well in self.wells}
        held: tuple[Arrived, np.ndarray] | None = None
        hour = 0
        while until_ms is None or self.start_ms + hour * HOUR_MS < until_ms:
            self._area_events(areas, hour)
            made = [run.chunk(hour, areas[run.well.area.index]) for run in runs]
            index = np.repeat(np.arange(len(runs)), [len(part.stamp_ms) for part in made])
            if held is not None:
                made.insert(0, held[0])
                index = np.concatenate((held[1], index))
            stamp_ms = np.concatenate([part.stamp_ms for part in made])
            arrival_ms = np.concatenate([part.arrival_ms for part in made])
            values = np.concatenate([part.values for part in made])
            hour += 1
            # What is measured in the next hour arrives in it or later, so everything before it is complete.
            order = np.argsort(arrival_ms, kind="stable")
            there = int(np.searchsorted(arrival_ms[order], hour * HOUR_MS))
            now, later = order[:there], order[there:]
            later.sort()
            held = Arrived(stamp_ms[later], arrival_ms[later], values[later]), index[later]
            batch = WideBatch(
                self.machines,
                SIGNALS,
                index[now],
                stamp_ms[now] + self.start_ms,
                arrival_ms[now] + self.start_ms,
                values[now],
            )
            if until_ms is not None:
                batch = batch.part(0, int(np.searchsorted(batch.arrival_ms, until_ms)))
            if len(batch):
                yield batch

    def truth(self, until_ms: int) -> Iterator[Truth]:
        """All events and defects that start before ``until_ms``, day by day and well by well."""
        plans = [well_days(self.seed, well, self.rates) for well in self.wells]
        areas = {well.area.index for well in self.wells}
        days = -(-(until_ms - self.start_ms) // DAY_MS)
        for well in self.wells:
            if well.skew_ms and until_ms > self.start_ms:
                yield Truth(well.machine_id, "defect", "clock_skew", self.start_ms, until_ms, None, None)
        for day in range(days):
            of_area = {index: area_events(self.seed, draw_area(self.seed, index), day, self.rates) for index in areas}
            for well, plan in zip(self.wells, plans, strict=True):
                for found in self._truth_of(well, next(plan), of_area[well.area.index]):
                    if found.start_ms < until_ms:
                        yield found

    def _area_events(self, areas: dict[int, list[Event]], hour: int) -> None:
        """Bring the lists of what happens in each area up to ``hour``."""
        for index, events in areas.items():
            if hour % CHUNKS_A_DAY == 0:
                area = draw_area(self.seed, index)
                events.extend(area_events(self.seed, area, hour // CHUNKS_A_DAY, self.rates))
            areas[index] = [event for event in events if event.end_ms > hour * HOUR_MS]

    def _truth_of(self, well: Well, plan: DayPlan, of_area: Sequence[Event]) -> Iterator[Truth]:
        def made(
            category: Category, kind: str, start: int, end: int, signal: int | None, group: str | None = None
        ) -> Truth:
            name = None if signal is None else SIGNALS[signal]
            return Truth(
                well.machine_id,
                category,
                kind,
                start + self.start_ms,
                end + self.start_ms,
                name,
                group,
            )

        for event in of_area:
            if well.lift in EVENT[event.kind].lifts:
                yield made("event", event.kind, event.start_ms, event.end_ms, None, well.area.name)
        for event in plan.events:
            yield made("event", event.kind, event.start_ms, event.end_ms, event.signal)
        for stretch in plan.stretches:
            yield made("defect", stretch.kind, stretch.start_ms, stretch.end_ms, stretch.signal)
        single = (
            ("missing", plan.missing[0], plan.missing[1].tolist()),
            ("spike", plan.spikes[0], plan.spikes[1].tolist()),
            ("duplicate", plan.duplicates[0], [None] * len(plan.duplicates[0])),
        )
        for kind, readings, signals in single:
            at_ms = plan.day * DAY_MS + well.phase_ms + readings * well.interval_s * 1000
            for moment, signal in zip(at_ms.tolist(), signals, strict=True):
                yield made("defect", kind, moment, moment, signal)
