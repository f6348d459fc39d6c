"""A semi-live job: which machine is looked at, what came of it, and what a stack thinks of that.

A new one is three lines, and a handler of it one more (docs/semi-live.md)::

    class LoadAD(CleanDataStack):
        stack = LoadStack()
        description = ("Casing Pressure", "Tubing Pressure")
        output = LoadADOutput

    handler = handler_for(LoadAD, QuerySource(query_clean_data, raw=True))
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from models.stacks.base import Stack, check_stack
from schemas.errors import BadSettings
from schemas.events import LookBackEvent
from schemas.outputs import StackOutput
from schemas.times import EARLIEST_MS, datetime_to_ms, iso, moment
from streams.build_info import BuildInfo
from streams.handler.judging import LabelTwin, label_readings
from streams.handler.keeping import Keep
from streams.handler.models_in_force import FindModel
from streams.handler.sources import DataSource, Floats, Ints, Query, Readings, signal_of
from streams.log import get_logger

log = get_logger(__name__)

_DAY_MS: Final = 86_400_000
#: As scikit-learn's ``fit_predict`` has it, and 0 for what nothing can be said of.
_AS_NUMBER: Final = {"anomalous": -1, "normal": 1, "unscored": 0}


def check_job(job: type["CleanDataStack"]) -> type["CleanDataStack"]:
    """``job`` itself if it can be run; :class:`BadSettings` says what it lacks."""
    if not isinstance(getattr(job, "stack", None), Stack):
        raise BadSettings(f"job {job.__name__}: `stack` must be a stack, as in `stack = LoadStack()`")
    signals = check_stack(job.stack).signals
    if job.description and {signal_of(name) for name in job.description} != set(signals):
        raise BadSettings(
            f"job {job.__name__}: description {job.description} must name the signals of its stack, {', '.join(signals)}"
        )
    return job


@dataclass(frozen=True, slots=True)
class Outside:
    """What a job asks of the world."""

    source: DataSource
    find_model: FindModel
    keep: Keep | None  # None: labels are answered, and kept nowhere
    now_ms: Callable[[], int]
    build: BuildInfo


class CleanDataStack:
    """One look back at one machine. A subclass names its stack; ``description`` are that stack's signals as the data source
    calls them, its own names where it is empty."""

    stack: ClassVar[Stack]
    description: ClassVar[tuple[str, ...]] = ()
    output: ClassVar[type[StackOutput]] = StackOutput

    def __init__(self, event: LookBackEvent, outside: Outside) -> None:
        self.event, self._outside = event, outside
        self._now_ms = outside.now_ms()
        to_ms = self._now_ms if event.to_time is None else datetime_to_ms(event.to_time)
        names = self.description or self.stack.signals
        from_ms = max(EARLIEST_MS, to_ms - event.lookback * _DAY_MS)
        self.query = Query(event.client_id, event.machine_id, from_ms, to_ms, names)
        self.readings: Readings | None = None
        self.missing: list[str] = []
        self._log = log.bind(client_id=event.client_id, machine_id=event.machine_id, job=self.stack.name)

    def load_data(self) -> None:
        """Ask the data source; log how long it took, which signals are missing, and how old the newest reading is."""
        asked = {"from_time": iso(self.query.from_ms), "to_time": iso(self.query.to_ms)}
        self._log.debug("query", action="query", description=self.query.description, **asked)
        began_s = time.perf_counter()
        found = self.readings = self._outside.source.load(self.query)
        took_s = round(time.perf_counter() - began_s, 3)
        self._log.info("data loaded", action="data_loaded", took_s=took_s, readings=len(found), **asked)
        self.missing = self._missing(found)
        if len(found):
            newest_ms = int(found.time_ms.max())
            age_s = round((self._now_ms - newest_ms) / 1000, 1)
            self._log.info("newest reading", action="freshness", newest=iso(newest_ms), age_s=age_s)

    def _missing(self, found: Readings) -> list[str]:
        missing = []
        for name in self.query.description:
            column = found.column(signal_of(name))
            if column is None:
                self._log.critical(f"no data returned for {name!r}", action="signal_missing", signal=name)
            elif np.isnan(column).all():
                self._log.critical(f"no value in the data of {name!r}", action="signal_missing", signal=name)
            else:
                continue
            missing.append(signal_of(name))
        return missing

    @property
    def has_data(self) -> bool:
        """Whether any signal that is wanted has a value."""
        return self.readings is not None and len(self.missing) < len(self.query.description)

    @property
    def data(self) -> dict[str, Floats | Ints]:
        """The readings by the data source's own names, and ``time`` in epoch ms, for a computation of one's own."""
        if self.readings is None:
            return {}
        found = {name: self.readings.column(signal_of(name)) for name in self.query.description}
        return {"time": self.readings.time_ms, **{name: column for name, column in found.items() if column is not None}}

    def label(self) -> list[LabelTwin]:
        """What the engine says of the readings, under the registry's model where there is one. Needs :meth:`load_data`."""
        if self.readings is None or not self.has_data:
            return []
        model = self._outside.find_model(self.query.client_id, self.query.machine_id, self.stack)
        return label_readings(self.readings, self.query, self.stack, model, self._outside.build)

    def run(self) -> StackOutput:
        """Load, judge, keep, answer."""
        self.load_data()
        if not self.has_data:
            self._log.warning("no data: the answer is empty", action="no_data")
            return self._answer((), None)
        labels = self.label()
        written = None if self._outside.keep is None else self._outside.keep(self.query, labels)
        return self._answer([one for one in labels if one.revision == 0], written)

    def _answer(self, labels: Sequence[LabelTwin], written: int | None) -> StackOutput:
        last = labels[-1] if labels else None
        return self.output.model_validate(
            {
                "client_id": self.event.client_id,
                "machine_id": self.event.machine_id,
                "lookback": self.event.lookback,
                "to_time": moment(self.query.to_ms),
                "from_time": moment(self.query.from_ms),
                "status": "ok" if labels else "no_data",
                "stack": self.stack.name,
                "labels": [_AS_NUMBER[one.label] for one in labels],
                "times": [one.event_time for one in labels],
                "surprises": [None if one.surprise is None else str(one.surprise) for one in labels],
                "missing": self.missing,
                "alerts": sum(one.alert == "opened" for one in labels),
                "model_digest": last and last.model_digest,
                "model_rung": last and last.model_rung,
                "written": written,
            }
        )
