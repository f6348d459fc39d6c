"""The judge. It is fed the records of three topics and the rows of the table, and judges at the end.

It holds a bit or two for each reading and sixteen bytes for each label, whatever those weigh.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from schemas.decoding import decode_reading
from schemas.errors import BadReading
from schemas.rejected import Rejected
from streams.audit.digests import Before, Digests, digest_of
from streams.audit.report import Balance, Offences, Report
from streams.label_store.offsets import OffsetSet
from streams.label_store.rows import LabelRow, NotALabel, decode_label, letters, usual_id

_DAY_MS: Final = 86_400_000
_EVER_MS: Final = 2**62


@dataclass(frozen=True, slots=True)
class Scope:
    """What is audited: readings whose records are of ``from_ms <= timestamp < to_ms``, of one machine or of all."""

    topic: str  # the readings
    stacks: tuple[str, ...]
    from_ms: int = 0
    to_ms: int = _EVER_MS
    client_id: str | None = None
    machine_id: str | None = None


class _Kind(NamedTuple):
    """Labels that differ in their source's offset alone."""

    stack: str
    partition: int
    revision: int


class _Doubt(NamedTuple):
    """Something off about one source; it counts if that reading is audited."""

    what: str
    partition: int
    offset: int
    where: str


class Audit:
    """Give it everything with the ``add_…`` methods, readings first; then :meth:`report` says whether it is in order.

    Records are Kafka's: ``topic``, ``partition``, ``offset``, ``timestamp`` (epoch ms), ``key``, ``value``.
    """

    def __init__(self, scope: Scope, ttl_days: int, now_ms: int) -> None:
        self._scope = scope
        self._expired_before_ms = now_ms - ttl_days * _DAY_MS
        self._readings: dict[int, OffsetSet] = {}  # by partition: all that exist
        self._audited: dict[int, OffsetSet] = {}
        self._by_tag: dict[int, OffsetSet] = {}
        self._rejected: dict[int, Digests] = {}
        self._sent: dict[_Kind, Digests] = {}
        self._stored: dict[_Kind, Digests] = {}
        self._may_be_gone: dict[_Kind, OffsetSet] = {}
        self._sent_again = 0
        self._doubts: list[_Doubt] = []
        self._offences = Offences()

    # -- taking in

    def add_reading(self, record: Any) -> None:
        """A record of the readings topic, whatever it holds."""
        partition, offset, scope = record.partition, record.offset, self._scope
        self._readings.setdefault(partition, OffsetSet()).add(offset)
        if not scope.from_ms <= record.timestamp < scope.to_ms:
            return
        if scope.machine_id is not None and record.key != scope.machine_id.encode():
            return
        value = record.value or b""
        by_tag = False
        # Few readings come by tag, and decoding is what takes long.
        if b'"tag"' in value or scope.client_id is not None:
            try:
                reading = decode_reading(value)
            except BadReading:
                if scope.client_id is not None:
                    return
            else:
                if scope.client_id not in (None, reading.client_id):
                    return
                by_tag = reading.tag is not None
        self._audited.setdefault(partition, OffsetSet()).add(offset)
        if by_tag:
            self._by_tag.setdefault(partition, OffsetSet()).add(offset)

    def add_rejected(self, record: Any) -> None:
        """A record of the rejected topic."""
        try:
            rejected = Rejected.model_validate_json(record.value or b"")
        except ValidationError:
            self._offences.add("records of the rejected topic that hold no rejection", _place(record))
            return
        if rejected.source_topic != self._scope.topic:
            return
        partition, offset = rejected.source_partition, rejected.source_offset
        before = self._rejected.setdefault(partition, Digests()).put(offset, digest_of(record.value))
        if before is Before.DIFFERENT:
            self._doubts.append(
                _Doubt("rejections sent twice with different content", partition, offset, _place(record))
            )

    def add_label(self, record: Any) -> None:
        """A record of the label topic."""
        try:
            row = decode_label(record.value)
        except NotALabel:
            self._offences.add("records of the label topic that hold no label", _place(record))
            return
        before = self._put(self._sent, row, "sent", _place(record))
        if before is Before.EQUAL and self._is_audited(row.source_partition, row.source_offset):
            self._sent_again += 1
        if row.time_ms < self._expired_before_ms:
            self._may_be_gone.setdefault(_kind(row), OffsetSet()).add(row.source_offset)

    def add_stored(self, row: LabelRow) -> None:
        """A label of the table. The same one may come several times."""
        self._put(self._stored, row, "stored", f"table, {row.client_id}/{row.machine_id}")

    def _put(self, to: dict[_Kind, Digests], row: LabelRow, done: str, place: str) -> Before | None:
        if row.source_topic != self._scope.topic:
            return None
        partition, offset, where = row.source_partition, row.source_offset, f"{row.label_id} ({place})"
        if row.label_id != usual_id(row.stack, partition, offset, row.revision):
            what = f"labels {done} whose id does not name their stack, source and revision"
            self._doubts.append(_Doubt(what, partition, offset, where))
        before = to.setdefault(_kind(row), Digests()).put(offset, digest_of(letters(row)))
        if before is Before.DIFFERENT:
            self._doubts.append(_Doubt(f"labels {done} twice with different content", partition, offset, where))
        return before

    # -- judging

    def report(
        self, first_offsets: Mapping[int, int], next_offsets: Mapping[int, int], judged_to: Mapping[int, int]
    ) -> Report:
        """The judgement, once. All offsets are of the readings topic, by partition.

        ``first_offsets`` and ``next_offsets`` are asked after everything was read: a source before the first has
        expired, one from the next on has never been. ``judged_to`` is what the worker has committed: from there on a
        reading is not held, it is not yet judged.
        """
        for doubt in self._doubts:
            if self._is_audited(doubt.partition, doubt.offset):
                self._offences.add(doubt.what, doubt.where)
        balances = [self._balance(stack, judged_to) for stack in self._scope.stacks]
        self._look_for_sources(first_offsets, next_offsets)
        expired = self._compare_table()
        return Report(
            balances,
            labels=sum(1 for _ in self._audited_labels(self._sent)),
            sent_again=self._sent_again,
            stored=sum(1 for _ in self._audited_labels(self._stored)),
            expired=expired,
            offences=list(self._offences.kinds.values()),
        )

    def _balance(self, stack: str, judged_to: Mapping[int, int]) -> Balance:
        readings = labels = held = rejected = 0
        for partition, audited in self._audited.items():
            labelled = self._sent.get(_Kind(stack, partition, 0), Digests())
            refused = self._rejected.get(partition, Digests())
            by_tag = self._by_tag.get(partition, OffsetSet())
            judged = judged_to.get(partition, 0)
            for offset in audited:
                readings += 1
                is_labelled, is_refused = offset in labelled, offset in refused
                labels += is_labelled
                rejected += is_refused
                if is_labelled and is_refused:
                    self._offences.add(
                        f"readings both labelled ({stack}) and rejected", self._source(partition, offset)
                    )
                elif is_labelled or is_refused:
                    continue
                elif offset >= judged:
                    what = f"readings without a {stack} label that wait for the worker"
                    self._offences.add(what, self._source(partition, offset))
                elif offset in by_tag:
                    held += 1
                else:
                    self._offences.add(f"readings without a {stack} label", self._source(partition, offset))
        return Balance(stack, readings, labels, held, rejected)

    def _look_for_sources(self, first_offsets: Mapping[int, int], next_offsets: Mapping[int, int]) -> None:
        for what, partition, offsets in self._all_sources():
            readings = self._readings.get(partition, OffsetSet())
            first, end, last = first_offsets.get(partition, 0), readings.end, next_offsets.get(partition, 0)
            for offset in offsets:
                came_since_we_read = end <= offset < last
                if offset >= first and offset not in readings and not came_since_we_read:
                    self._offences.add(f"{what} whose reading does not exist", self._source(partition, offset))

    def _all_sources(self) -> Iterator[tuple[str, int, Digests]]:
        for kind, offsets in self._sent.items():
            yield f"{kind.stack} labels", kind.partition, offsets
        for kind, offsets in self._stored.items():
            yield f"stored {kind.stack} labels", kind.partition, offsets
        for partition, offsets in self._rejected.items():
            yield "rejections", partition, offsets

    def _compare_table(self) -> int:
        """Compare the table with the topic; how many labels the table may rightly have let go of."""
        expired = 0
        for kind, offset in self._audited_labels(self._sent):
            stored = self._stored.get(kind)
            there = stored.get(offset) if stored else 0
            if there == 0 and offset in self._may_be_gone.get(kind, OffsetSet()):
                expired += 1
            elif there == 0:
                self._offences.add("labels that are not in the table: is the sink behind?", _label_id(kind, offset))
            elif there != self._sent[kind].get(offset):
                self._offences.add("labels that differ in the table", _label_id(kind, offset))
        for kind, offset in self._audited_labels(self._stored):
            if kind not in self._sent or offset not in self._sent[kind]:
                self._offences.add("labels in the table that were never sent", _label_id(kind, offset))
        return expired

    def _audited_labels(self, labels: Mapping[_Kind, Digests]) -> Iterator[tuple[_Kind, int]]:
        for kind, offsets in labels.items():
            yield from ((kind, offset) for offset in offsets if self._is_audited(kind.partition, offset))

    def _is_audited(self, partition: int, offset: int) -> bool:
        audited = self._audited.get(partition)
        return audited is not None and offset in audited

    def _source(self, partition: int, offset: int) -> str:
        return f"{self._scope.topic}/{partition}/{offset}"


def _kind(row: LabelRow) -> _Kind:
    return _Kind(row.stack, row.source_partition, row.revision)


def _label_id(kind: _Kind, offset: int) -> str:
    return usual_id(kind.stack, kind.partition, offset, kind.revision)


def _place(record: Any) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"
