"""Last step: columns to labels, incidents and status."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

from models.engine.batch import ReadingBatch
from models.engine.codes import ALERTS, ANOMALOUS, CLOSED, OPENED, REASONS, RUNGS, VERDICTS
from models.engine.machines import Machine
from models.engine.numbers import SURPRISE_DECIMALS, VALUE_DECIMALS, Codes, label_numbers
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

#: The reason by the kind of reading, as a list: None where it is scored, or gets no label.
_REASON_OF: Final = [REASONS.get(kind) for kind in range(max(REASONS) + 1)]


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where the readings came from, and which code judged them: the same on every label of a run."""

    source_topic: str
    code_version: str
    git_commit: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels of one stack for a run, in the order of their readings."""

    index: Sequence[int]  # place of each label's reading in the run
    labels: Sequence[Any]  # LabelTwin
    incidents: Sequence[tuple[int, Incident]]  # each with the partition of its readings
    #: Labels of earlier readings that a late one changed, each with that one's offset.
    revised: Sequence[tuple[int, Any]] = ()

    def in_order(self) -> Sequence[Any]:
        """All of them, a revised label after that of the late reading that changed it."""
        if not self.revised:
            return self.labels
        after: dict[tuple[int, int], list[Any]] = {}  # by partition and offset
        for late_offset, label in self.revised:
            after.setdefault((label.source_partition, late_offset), []).append(label)
        return [
            one
            for label in self.labels
            for one in (label, *after.get((label.source_partition, label.source_offset), ()))
        ]


def label_id(stack: str, partition: int, offset: int, revision: int = 0) -> str:
    """The id of a label: the same reading judged by the same stack always gets the same."""
    return f"{stack}-{partition}-{offset}-{revision}"


def incident_id(stack: str, partition: int, offset: int) -> str:
    """The id of the incident that the label of this reading opened."""
    return f"inc-{label_id(stack, partition, offset)}"


def make_labels(
    engine: StackEngine,
    verdicts: Verdicts,
    batch: ReadingBatch,
    machines: Sequence[Machine],
    stamp: Stamp,
) -> Labelled:
    """The labels of a run, and what opened or closed in it."""
    codes, labels = _labels(engine, verdicts, batch.slot, batch.offset, machines, stamp)
    incidents: list[tuple[int, Incident]] = []
    if OPENED in codes.alert or CLOSED in codes.alert:
        features = engine.stack.feature_names
        for at, label, alert in zip(codes.place, labels, codes.alert, strict=True):
            if alert in (OPENED, CLOSED):
                incidents.append((label.source_partition, _incident(label, verdicts.happened[at], features)))
    revised = [pair for one in verdicts.revised for pair in _revised(engine, one, machines, stamp)]
    return Labelled(codes.place, labels, incidents, revised)


def _revised(
    engine: StackEngine, revised: Revised, machines: Sequence[Machine], stamp: Stamp
) -> Iterator[tuple[int, Any]]:
    _, labels = _labels(engine, revised.verdicts, revised.slot, revised.offset, machines, stamp)
    for late_offset, label, revision in zip(revised.after.tolist(), labels, revised.revision.tolist(), strict=True):
        label.label_id = label_id(label.stack, label.source_partition, label.source_offset, revision)
        label.revision = revision
        label.supersedes = label_id(label.stack, label.source_partition, label.source_offset, revision - 1)
        yield late_offset, label


def _labels(
    engine: StackEngine,
    verdicts: Verdicts,
    slots: Any,
    offsets: Any,
    machines: Sequence[Machine],
    stamp: Stamp,
) -> tuple[Codes, list[Any]]:
    """First labels of the readings that get one, and what they were made of."""
    stack, topic = engine.stack.name, stamp.source_topic
    features, signals, digests, detector = (
        engine.feature_names, engine.stack.signals, engine.lookups.digests, engine.detector
    )  # fmt: skip
    version, commit = stamp.code_version, stamp.git_commit
    found, numbers, has_nan = label_numbers(
        verdicts.ints, verdicts.floats, slots, offsets, verdicts.signal_count, verdicts.features, verdicts.view_count
    )
    codes = Codes(*found.tolist())
    columns = numbers.tolist()
    for row, holes in enumerate(has_nan.tolist()):
        if holes:
            columns[row] = [None if number != number else number for number in columns[row]]
    *measured, value, median, low, high, raw, surprise = columns
    if not codes.place:
        return codes, []
    clients, names, partitions = zip(*[machines[slot] for slot in codes.slot], strict=True)
    # A column each, in the order of the fields, so that nothing is done label by label but making it.
    labels = list(
        map(
            LabelTwin,
            [f"{stack}-{partition}-{offset}-0" for partition, offset in zip(partitions, codes.offset, strict=True)],
            clients,
            names,
            repeat(stack),
            _iso(codes.time_ms),
            _by_name(signals, measured),
            _words(features, codes.driver),
            value,
            median,
            low,
            high,
            raw,
            surprise,
            repeat(None),
            repeat(None),
            _words(VERDICTS, codes.verdict),
            _words(_REASON_OF, codes.kind),
            _words(ALERTS, codes.alert),
            _incident_ids(stack, partitions, codes.opened_offset),
            repeat(detector),
            _unless_negative(codes.model_index, digests.__getitem__),
            _words(RUNGS, codes.rung),
            _unless_negative(codes.model_since, int),
            repeat(version),
            repeat(commit),
            repeat(topic),
            partitions,
            codes.offset,
            _unless_negative(codes.partner, int),
            repeat(0),
            repeat(None),
        )
    )
    if ANOMALOUS in codes.verdict and verdicts.view_count:
        _explain(verdicts, codes, labels, features)
    return codes, labels


def _iso(time_ms: Sequence[int]) -> Sequence[str]:
    """ISO 8601 of each moment. Readings of a run often share theirs: each is written once, and so is each second."""
    seconds: dict[int, str] = {}
    texts: dict[int, str] = {}
    for at in time_ms:
        if at not in texts:
            second, ms = divmod(at, 1000)
            written = seconds.get(second)
            if written is None:
                written = seconds[second] = iso(second * 1000)[:-4]
            texts[at] = f"{written}{ms:03d}Z"
    return [texts[at] for at in time_ms]


def _by_name(names: Sequence[str], columns: Sequence[list[Any]]) -> list[dict[str, Any]]:
    """Each reading's values by their names."""
    if len(names) == 2:  # as nearly always, and several times faster
        first, second = names
        return [{first: one, second: other} for one, other in zip(*columns, strict=True)]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _words(words: Sequence[Any], column: list[int]) -> Iterable[Any]:
    """The word for each index."""
    if column.count(column[0]) == len(column):
        return repeat(words[column[0]])
    return map(words.__getitem__, column)


def _unless_negative(column: list[int], make: Callable[[int], Any]) -> Iterable[Any]:
    """What ``make`` makes of each number, None of a negative one."""
    if max(column) < 0:
        return repeat(None)
    return [None if number < 0 else make(number) for number in column]


def _incident_ids(stack: str, partitions: Sequence[int], opened: list[int]) -> Iterable[str | None]:
    """The incident that each label belongs to, None where its offset is negative."""
    if max(opened) < 0:
        return repeat(None)
    pairs = zip(partitions, opened, strict=True)
    return [None if offset < 0 else incident_id(stack, partition, offset) for partition, offset in pairs]


def _explain(verdicts: Verdicts, codes: Codes, labels: Sequence[Any], features: Sequence[str]) -> None:
    """Views and words of the anomalous labels; all others have none."""
    for i, label, verdict, k in zip(codes.place, labels, codes.verdict, codes.driver, strict=True):
        if verdict == ANOMALOUS:
            found = views_of(verdicts.views[i, k], float(verdicts.together[i]))
            label.views, label.because = found, because(found, features[k])


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
        actual=round(value, VALUE_DECIMALS),
        expected_low=low,
        expected_high=high,
        peak_surprise=round(float(alarm["peak"]), SURPRISE_DECIMALS),
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
