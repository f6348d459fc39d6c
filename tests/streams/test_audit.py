"""The audit says that all is well when it is, and names what is not."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.rejected import Rejected
from streams.audit import Audit, Report, Scope
from streams.audit.digests import Before, Digests, digest_of
from streams.label_store.offsets import LabelIds, OffsetSet
from streams.label_store.rows import LabelRow, letters
from tests.streams.making_labels import START_MS, a_row

TOPIC = "wellsentry.readings"
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    value: bytes | None
    key: bytes | None = b"well-7"
    timestamp: int = START_MS


def a_reading(offset: int, partition: int = 3, machine: str = "well-7", by_tag: bool = False, **more: Any) -> Record:
    body: dict[str, Any] = {"client_id": "acme", "machine_id": machine, "time": START_MS + offset}
    body |= {"tag": "casing_pressure", "value": 1.0} if by_tag else {"casing_pressure": 1.0, "tubing_pressure": 1.0}
    return Record(TOPIC, partition, offset, json.dumps(body).encode(), machine.encode(), **more)


def a_rejection(offset: int, partition: int = 3, detail: str = "not JSON") -> bytes:
    rejected = Rejected(
        reason="not_json", detail=detail, source_topic=TOPIC, source_partition=partition, source_offset=offset
    )
    return rejected.model_dump_json().encode()


@dataclass
class World:
    """Ten readings of partition 3: 0 to 5 labelled, 6 held for 7, 7 labelled, 8 rejected, 9 labelled; all stored."""

    readings: list[Record] = field(default_factory=list)
    labels: list[LabelRow] = field(default_factory=list)
    rejected: list[bytes] = field(default_factory=list)
    stored: list[LabelRow] = field(default_factory=list)
    judged_to: int = 10
    first_offset: int = 0
    next_offset: int = 10

    def __post_init__(self) -> None:
        self.readings = [a_reading(offset, by_tag=offset in (6, 7)) for offset in range(10)]
        self.readings[8] = Record(TOPIC, 3, 8, b"no reading")
        self.labels = [a_row(offset, partner_offset=6 if offset == 7 else None) for offset in (0, 1, 2, 3, 4, 5, 7, 9)]
        self.rejected = [a_rejection(8)]
        self.stored = list(self.labels)

    def audit(self, now_ms: int = START_MS, **scope: Any) -> Report:
        audit = Audit(Scope(TOPIC, scope.pop("stacks", ("load",)), **scope), ttl_days=90, now_ms=now_ms)
        for reading in self.readings:
            audit.add_reading(reading)
        for offset, value in enumerate(self.rejected):
            audit.add_rejected(Record("wellsentry.rejected", 3, offset, value))
        for offset, row in enumerate(self.labels):
            value = letters(row) if isinstance(row, LabelRow) else row
            audit.add_label(Record("wellsentry.labels", 3, offset, value))
        for row in self.stored:
            audit.add_stored(row)
        return audit.report({3: self.first_offset}, {3: self.next_offset}, {3: self.judged_to})


@pytest.fixture
def world() -> World:
    return World()


def offences(report: Report) -> dict[str, tuple[int, list[str]]]:
    return {offence.what: (offence.count, offence.named) for offence in report.offences}


def the_only(report: Report, what: str) -> Sequence[str]:
    """Those named of the one kind of offence there is."""
    assert not report.in_order
    assert list(offences(report)) == [what]
    return offences(report)[what][1]


def test_what_is_in_order_adds_up(world: World) -> None:
    report = world.audit()
    (balance,) = report.balances
    assert (balance.readings, balance.labels, balance.held, balance.rejected, balance.difference) == (10, 8, 1, 1, 0)
    assert (report.labels, report.stored, report.sent_again, report.expired) == (8, 8, 0, 0)
    assert report.in_order


def test_nothing_at_all_is_in_order() -> None:
    assert Audit(Scope(TOPIC, ("load",)), 90, START_MS).report({}, {}, {}).in_order


def test_labels_sent_or_stored_again_to_the_letter_are_in_order(world: World) -> None:
    world.labels += world.labels[:3]
    world.stored += world.stored[2:5]
    world.rejected *= 2
    report = world.audit()
    assert report.in_order
    assert (report.labels, report.stored, report.sent_again) == (8, 8, 3)


def test_a_revision_beside_its_label_is_in_order(world: World) -> None:
    revision = a_row(4, revision=1, supersedes="load-3-4-0")
    world.labels.append(revision)
    world.stored.append(revision)
    assert world.audit().in_order


def test_a_lost_label_is_named(world: World) -> None:
    del world.labels[2], world.stored[2]
    report = world.audit()
    assert the_only(report, "readings without a load label") == [f"{TOPIC}/3/2"]
    assert report.balances[0].difference == 1


def test_each_stack_is_counted(world: World) -> None:
    report = world.audit(stacks=("load", "flow"))
    assert offences(report)["readings without a flow label"][0] == 7
    assert [balance.difference for balance in report.balances] == [0, 7]


def test_a_revision_alone_is_no_label(world: World) -> None:
    world.labels[2] = world.stored[2] = a_row(2, revision=1, supersedes="load-3-2-0")
    assert the_only(world.audit(), "readings without a load label") == [f"{TOPIC}/3/2"]


def test_what_the_worker_has_not_come_to_is_said_to_wait(world: World) -> None:
    world.judged_to = 6
    del world.labels[6:], world.stored[6:], world.rejected[0]
    report = world.audit()
    assert the_only(report, "readings without a load label that wait for the worker")[0] == f"{TOPIC}/3/6"
    assert report.balances[0].held == 0


def test_a_reading_both_labelled_and_rejected_is_named(world: World) -> None:
    world.rejected.append(a_rejection(5))
    assert the_only(world.audit(), "readings both labelled (load) and rejected") == [f"{TOPIC}/3/5"]


def test_a_label_sent_again_with_another_content_is_named(world: World) -> None:
    world.labels.append(msgspec.structs.replace(world.labels[1], surprise=9.0))
    assert the_only(world.audit(), "labels sent twice with different content") == ["load-3-1-0 (wellsentry.labels/3/8)"]


def test_a_rejection_sent_again_with_another_content_is_named(world: World) -> None:
    world.rejected.append(a_rejection(8, detail="otherwise"))
    assert the_only(world.audit(), "rejections sent twice with different content") == ["wellsentry.rejected/3/1"]


@pytest.mark.parametrize("what", ["load labels", "stored load labels", "rejections"])
def test_a_source_that_does_not_exist_is_named(world: World, what: str) -> None:
    if what == "load labels":
        world.labels.append(a_row(77))
    elif what == "stored load labels":
        world.stored.append(a_row(77))
    else:
        world.rejected.append(a_rejection(77))
    assert the_only(world.audit(), f"{what} whose reading does not exist") == [f"{TOPIC}/3/77"]


def test_sources_that_expired_or_came_meanwhile_are_no_offence(world: World) -> None:
    del world.readings[:4]
    world.first_offset = 4
    world.labels.append(a_row(10))
    world.next_offset = 11
    report = world.audit()
    assert report.in_order
    assert (report.balances[0].readings, report.labels, report.stored) == (6, 4, 4)


def test_a_label_that_is_not_in_the_table_is_named(world: World) -> None:
    del world.stored[3]
    assert the_only(world.audit(), "labels that are not in the table: is the sink behind?") == ["load-3-3-0"]


def test_a_label_that_the_table_may_have_let_go_of_is_no_offence(world: World) -> None:
    del world.stored[3]
    report = world.audit(now_ms=START_MS + 91 * DAY_MS)
    assert report.in_order
    assert report.expired == 1


def test_a_label_that_differs_in_the_table_is_named(world: World) -> None:
    world.stored[3] = msgspec.structs.replace(world.stored[3], value=1.0)
    assert the_only(world.audit(), "labels that differ in the table") == ["load-3-3-0"]


def test_a_label_in_the_table_that_was_never_sent_is_named(world: World) -> None:
    world.stored.append(a_row(6))
    assert the_only(world.audit(), "labels in the table that were never sent") == ["load-3-6-0"]


def test_a_label_under_a_wrong_id_is_named(world: World) -> None:
    world.labels[0] = world.stored[0] = msgspec.structs.replace(world.labels[0], label_id="load-3-1-0")
    assert "labels sent whose id does not name their stack, source and revision" in offences(world.audit())


def test_what_cannot_be_read_is_named(world: World) -> None:
    world.labels.append(b"no label")  # type: ignore[arg-type]
    world.rejected.append(b"no rejection")
    assert offences(world.audit()) == {
        "records of the label topic that hold no label": (1, ["wellsentry.labels/3/8"]),
        "records of the rejected topic that hold no rejection": (1, ["wellsentry.rejected/3/1"]),
    }


def test_all_offenders_are_counted_and_the_first_named(world: World) -> None:
    world.labels.clear()
    world.stored.clear()
    count, named = offences(world.audit())["readings without a load label"]
    assert (count, len(named)) == (8 - 1, 5)  # 7 came by tag: without labels it counts as held


def test_a_range_of_time_leaves_out_everything_of_other_readings(world: World) -> None:
    world.readings += [a_reading(offset, timestamp=START_MS + 5000) for offset in range(10, 20)]
    world.next_offset = world.judged_to = 20
    assert world.audit(to_ms=START_MS + 1).in_order
    report = world.audit(from_ms=START_MS + 1)
    assert offences(report)["readings without a load label"][0] == 10
    assert (report.labels, report.stored) == (0, 0)


def test_one_machine_or_client_is_audited_alone(world: World) -> None:
    world.readings += [a_reading(offset, machine="well-8") for offset in range(10, 13)]
    world.next_offset = world.judged_to = 13
    assert world.audit(machine_id="well-7").in_order
    assert world.audit(machine_id="well-8").balances[0].readings == 3
    assert world.audit(client_id="acme").balances[0].readings == 12  # who sent 8 nobody knows
    assert world.audit(client_id="other").balances[0].readings == 0


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("what", ["readings", "labels", "stored"])
def test_no_single_loss_goes_unseen(world: World, what: str, at: int) -> None:
    del getattr(world, what)[at]
    assert not world.audit().in_order


# -- what it is made of


@given(st.lists(st.integers(0, 200_000) | st.integers(0, 2**63)))
def test_a_set_of_offsets_is_a_set(offsets: list[int]) -> None:
    ours, seen = OffsetSet(), set[int]()
    for offset in offsets:
        assert ours.add(offset) == (offset not in seen)
        seen.add(offset)
    assert list(ours) == sorted(seen)
    assert len(ours) == len(seen)
    assert ours.end == max(seen, default=-1) + 1
    assert all(offset in ours for offset in seen)
    assert all(offset + 1 in seen or offset + 1 not in ours for offset in seen)


@given(st.lists(st.text("-01a") | st.from_regex(r"[a-z-]{1,3}-\d-\d{1,3}-\d", fullmatch=True)), st.data())
def test_a_set_of_label_ids_is_a_set(ids: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(ids)))
    ours, others, seen = LabelIds(), LabelIds(), set[str]()
    for label_id in ids[:cut]:
        assert ours.add(label_id) == (label_id not in seen)
        seen.add(label_id)
    for label_id in ids[cut:]:
        others.add(label_id)
    ours.update(others)
    assert len(ours) == len(set(ids))


@given(st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=1))))
def test_the_first_digest_of_an_offset_stays(puts: list[tuple[int, bytes]]) -> None:
    ours, first = Digests(), dict[int, bytes]()
    for offset, content in puts:
        known = first.setdefault(offset, content)
        before = ours.put(offset, digest_of(content))
        assert (before is Before.DIFFERENT) == (known != content)
    assert list(ours) == sorted(first)
    assert all(ours.get(offset) == digest_of(content) for offset, content in first.items())
