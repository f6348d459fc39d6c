"""Last step: columns to labels, incidents and status."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

import numpy as np

from models.engine.batch import ReadingBatch
from models.engine.codes import ALERTS, ANOMALOUS, CLOSED, OPENED, REASONS, RUNGS, VERDICTS
from models.engine.reasons import because, views_of
from models.engine.stack_engine import StackEngine
from models.engine.verdicts import Revised, Verdicts
from schemas.incidents import Incident
from schemas.labels import Label
from schemas.status import StackStatus, Status
from schemas.times import iso, moment
from schemas.twins import twin, write_twin

LabelTwin: Any = twin(Label)
StackStatusTwin: Any = twin(StackStatus)
StatusTwin: Any = twin(Status)

#: Decimals that labels carry. Pressures are measured to 0.1 psi at best, and a surprise beyond its third is noise.
_VALUE_DECIMALS = 6
_SURPRISE_DECIMALS = 4


#: So few moments are written sooner one by one.
_FEW: Final = 16


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where the readings came from, and which code judged them: the same on every label of a run."""

    source_topic: str
    source_partition: int
    code_version: str
    git_commit: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels of one stack for a run, in the order of their readings."""

    index: Sequence[int]  # place of each label's reading in the run
    labels: Sequence[Any]  # LabelTwin
    incidents: Sequence[Incident]
    #: Labels of earlier readings that a late one changed, each with that one's offset.
    revised: Sequence[tuple[int, Any]] = ()

    def in_order(self) -> Sequence[Any]:
        """All of them, a revised label after that of the late reading that changed it."""
        if not self.revised:
            return self.labels
        after: dict[int, list[Any]] = {}
        for late_offset, label in self.revised:
            after.setdefault(late_offset, []).append(label)
        return [one for label in self.labels for one in (label, *after.get(label.source_offset, ()))]


def label_id(stack: str, partition: int, offset: int, revision: int = 0) -> str:
    """The id of a label: the same reading judged by the same stack always gets the same."""
    return f"{stack}-{partition}-{offset}-{revision}"


def incident_id(stack: str, partition: int, offset: int) -> str:
    """The id of the incident that the label of this reading opened."""
    return f"inc-{label_id(stack, partition, offset)}"


def _numbers(columns: Sequence[Any], decimals: int) -> list[list[Any]]:
    """Columns as JSON numbers: rounded, None for NaN, never -0.0."""
    rounded = np.round(np.array(columns), decimals) + 0.0
    missing = np.isnan(rounded)
    numbers: list[list[Any]] = rounded.tolist()
    for at in np.flatnonzero(missing.any(axis=1)).tolist():
        pairs = zip(numbers[at], missing[at].tolist(), strict=True)
        numbers[at] = [None if gone else x for x, gone in pairs]
    return numbers


def make_labels(
    engine: StackEngine,
    verdicts: Verdicts,
    batch: ReadingBatch,
    machines: Sequence[tuple[str, str]],
    stamp: Stamp,
) -> Labelled:
    """The labels of a run, and what opened or closed in it."""
    index = verdicts.labelled
    if not len(index):
        return Labelled((), (), ())
    labels = _labels(engine, verdicts, index, batch.slot, batch.offset, machines, stamp)
    turned = np.flatnonzero((verdicts.alert[index] == OPENED) | (verdicts.alert[index] == CLOSED))
    features = engine.stack.feature_names
    incidents = [_incident(labels[at], verdicts.happened[index[at]], features) for at in turned.tolist()]
    revised = [pair for one in verdicts.revised for pair in _revised(engine, one, machines, stamp)]
    return Labelled(index.tolist(), labels, incidents, revised)


def _revised(
    engine: StackEngine, revised: Revised, machines: Sequence[tuple[str, str]], stamp: Stamp
) -> Iterator[tuple[int, Any]]:
    everything = np.arange(len(revised.slot))
    labels = _labels(engine, revised.verdicts, everything, revised.slot, revised.offset, machines, stamp)
    for late_offset, label, revision in zip(revised.after.tolist(), labels, revised.revision.tolist(), strict=True):
        label.label_id = label_id(label.stack, label.source_partition, label.source_offset, revision)
        label.revision = revision
        label.supersedes = label_id(label.stack, label.source_partition, label.source_offset, revision - 1)
        yield late_offset, label


def _labels(
    engine: StackEngine,
    verdicts: Verdicts,
    index: Any,
    slots: Any,
    offsets: Any,
    machines: Sequence[tuple[str, str]],
    stamp: Stamp,
) -> list[Any]:
    """First labels of the readings at ``index``."""
    partition, name, names = stamp.source_partition, engine.stack.name, engine.stack.signals
    driver, kind, model = verdicts.driver[index], verdicts.kind[index], verdicts.model_index[index]
    offset = offsets[index].tolist()
    of_machine = [machines[slot] for slot in slots[index].tolist()]
    *signals, value, median, low, high, raw = _numbers(
        (
            *verdicts.signals[index].T, verdicts.feature[index, driver], verdicts.median[index, driver],
            *verdicts.expected[index].T, verdicts.raw[index],
        ),
        _VALUE_DECIMALS,
    )  # fmt: skip
    (surprise,) = _numbers((verdicts.surprise[index],), _SURPRISE_DECIMALS)
    views, words = _explained(verdicts, index, engine.stack.feature_names)
    # A column each, in the order of the fields, so that nothing is done label by label but making it.
    return list(
        map(
            LabelTwin,
            [f"{name}-{partition}-{at}-0" for at in offset],
            [client for client, _ in of_machine],
            [machine for _, machine in of_machine],
            repeat(name),
            _iso(verdicts.time_ms[index]),
            _by_name(names, signals),
            _words(engine.stack.feature_names, driver),
            value,
            median,
            low,
            high,
            raw,
            surprise,
            views,
            words,
            _words(VERDICTS, verdicts.verdict[index]),
            map(REASONS.get, kind.tolist()),
            _words(ALERTS, verdicts.alert[index]),
            _unless_negative(verdicts.opened_offset[index], lambda at: f"inc-{name}-{partition}-{at}-0"),
            repeat(engine.detector),
            _words([*engine.lookups.digests, None], model),  # -1 is the last one
            _words(RUNGS, verdicts.rung[index]),
            _unless_negative(np.where(model < 0, -1, verdicts.model_since[index]), int),
            repeat(stamp.code_version),
            repeat(stamp.git_commit),
            repeat(stamp.source_topic),
            repeat(partition),
            offset,
            _unless_negative(verdicts.partner[index], int),
            repeat(0),
            repeat(None),
        )
    )


def _iso(time_ms: Any) -> list[str]:
    """ISO 8601 of each moment. Readings of a run often share theirs: each is written once."""
    if len(time_ms) < _FEW:
        return [iso(at) for at in time_ms.tolist()]
    moments, which = np.unique(time_ms, return_inverse=True)
    texts = np.datetime_as_string(moments.astype("M8[ms]"), unit="ms", timezone="UTC").tolist()
    return [texts[at] for at in which.tolist()]


def _by_name(names: Sequence[str], columns: Sequence[list[Any]]) -> list[dict[str, Any]]:
    """Each reading's values by their names."""
    if len(names) == 2:  # as nearly always, and several times faster
        first, second = names
        return [{first: one, second: other} for one, other in zip(*columns, strict=True)]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _words(words: Sequence[Any], column: Any) -> Iterable[Any]:
    """The word for each index."""
    first = column[0]
    if (column == first).all():
        return repeat(words[first])
    return map(words.__getitem__, column.tolist())


def _unless_negative(column: Any, make: Callable[[int], Any]) -> Iterable[Any]:
    """What ``make`` makes of each number, None of a negative one."""
    if (column < 0).all():
        return repeat(None)
    return [None if number < 0 else make(number) for number in column.tolist()]


def _explained(
    verdicts: Verdicts, index: Any, features: Sequence[str]
) -> tuple[list[dict[str, float] | None], list[str | None]]:
    """Views and words of the anomalous labels, None for all others."""
    views: list[dict[str, float] | None] = [None] * len(index)
    words: list[str | None] = [None] * len(index)
    if verdicts.views is None or verdicts.together is None:
        return views, words
    for at in np.flatnonzero(verdicts.verdict[index] == ANOMALOUS).tolist():
        i = index[at]
        k = int(verdicts.driver[i])
        found = views_of(verdicts.views[i, k], float(verdicts.together[i]))
        views[at], words[at] = found, because(found, features[k])
    return views, words


def _incident(label: Any, alarm: Any, features: Sequence[str]) -> Incident:
    value = float(alarm["peak_value"])
    low, high = label.expected_low, label.expected_high
    middle = (low + high) / 2 if low is not None and high is not None else value
    return Incident(
        incident_id=label.incident_id,
        state="closed" if label.alert == "closed" else "opened",
        client_id=label.client_id,
        machine_id=label.machine_id,
        stack=label.stack,
        opened_at=moment(int(alarm["opened_ms"])),
        closed_at=label.event_time if label.alert == "closed" else None,
        label_id=label.label_id,
        feature=features[int(alarm["peak_feature"])],
        direction="low" if value < middle else "high",
        actual=round(value, _VALUE_DECIMALS),
        expected_low=low,
        expected_high=high,
        peak_surprise=round(float(alarm["peak"]), _SURPRISE_DECIMALS),
        peak_at=moment(int(alarm["peak_ms"])),
        readings=int(alarm["readings"]),
        model_digest=label.model_digest,
        model_rung=label.model_rung,
        code_version=label.code_version,
        git_commit=label.git_commit,
    )


def status_of(readings: int, latest: Sequence[Any]) -> bytes:
    """A machine's status as JSON, from its latest label of each stack."""
    first = latest[0]
    stacks = {
        label.stack: StackStatusTwin(*(getattr(label, field) for field in StackStatus.model_fields)) for label in latest
    }
    return write_twin(StatusTwin(first.client_id, first.machine_id, readings, stacks))
