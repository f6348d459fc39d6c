"""The proof at the end of a story: nothing lost, nothing altered, state and table as they must be.

Of the program's own audit it takes the balance and the table; all else is found out here, from the topics alone.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from faust.types import TP

from models.engine.engine import Engine
from schemas.training import ModelUpdate
from streams.audit import Scope
from streams.audit.running import run_audit
from streams.partitions import partition_of
from streams.replay.adoptions import named_by
from streams.worker.partition import Partition
from streams.worker.store import restore
from tests.chaos import adoptions
from tests.chaos.fleet import Message
from tests.chaos.same_state import different_labels_to_come, different_state
from tests.chaos.story import Story
from tests.chaos.undisturbed import judge_undisturbed, new_engine, new_partition
from tests.chaos.whole_topics import whole

_NOW_MS: Final = 1_800_000_000_000  # the audit's clock


@dataclass(frozen=True, slots=True)
class Proof:
    """What was compared, and all that was wrong."""

    readings: int
    rejected: int
    labels: int  # different ones
    sent_again: int
    stored: int
    models: int  # adoptions that labels or state name
    machines: int  # whose state was compared
    wrong: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{self.readings:,} readings, {self.rejected:,} rejected, {self.labels:,} labels, {self.sent_again:,} sent "
            f"again, {self.stored:,} stored, {self.models} adoptions, state of {self.machines} machines, "
            f"{len(self.wrong)} differences"
        )


def prove(story: Story) -> Proof:
    """Read everything back and compare. Nothing is asserted here: see :attr:`Proof.wrong`."""
    settings, topics = story.settings, story.settings.topics
    wrong: list[str] = []
    report = run_audit(settings, Scope(topics.readings.name, settings.worker.stacks), _NOW_MS, lambda *_: None)
    wrong += [f"audit: {one.count} {one.what}: {one.named}" for one in report.offences]
    wrong += [f"audit: {one.stack} is off by {one.difference}" for one in report.balances if one.difference]
    wrong += [f"audit: {report.expired} labels taken for expired"] if report.expired else []
    if report.stored != report.labels:
        wrong.append(f"audit: {report.stored} stored of {report.labels} labels")

    readings = whole(settings, topics.readings.name)
    sent = {
        name: whole(settings, getattr(topics, name).name)
        for name in ("labels", "incidents", "training", "rejected", "models", "changelog")
    }
    wrong += _as_sent(story, readings)
    wrong += _each_in_its_place(story, readings, sent["labels"], sent["rejected"])
    updates = _updates(sent["models"])
    models = machines = 0
    for number in range(settings.broker.partitions):
        labels = _by("label_id", sent["labels"][number])
        wrong += _altered(labels)
        wrong += _out_of_order(sent["labels"][number])
        restored = _read_back(new_engine(settings, number), sent["changelog"][number])
        named = {named_by(json.loads(copies[0])) for copies in labels.values()} - {None}
        in_force = {one for one in (*named, *adoptions.in_state(restored)) if one is not None}
        if unknown := [one for one in in_force if (one.machine_id, one.digest) not in updates]:
            wrong.append(f"models in force that were never published: {unknown[:3]}")
            continue
        wrong += adoptions.not_durable(sent["labels"][number], sent["changelog"][number])[:5]
        calm = new_partition(settings, new_engine(settings, number), story.build)
        judge_undisturbed(calm, readings[number], in_force, updates)
        wrong += _unlike(calm, number, sent)
        wrong += [f"state of partition {number}: {one}" for one in different_state(restored, calm.engine)]
        after = new_partition(settings, restored, story.build)
        wrong += [
            f"partition {number}, labels to come: {one}" for one in different_labels_to_come(after, calm, story.seed)
        ]
        models += len(in_force)
        machines += len(restored.slots)
    return Proof(
        readings=sum(map(len, readings.values())),
        rejected=sum(one.rejected for one in report.balances[:1]),
        labels=report.labels,
        sent_again=report.sent_again,
        stored=report.stored,
        models=models,
        machines=machines,
        wrong=wrong,
    )


def _updates(records: Mapping[int, Sequence[Any]]) -> dict[tuple[str, str], ModelUpdate]:
    made = [ModelUpdate.model_validate_json(record.value) for some in records.values() for record in some]
    return {(update.machine_id, update.digest): update for update in made}


def _read_back(engine: Engine, changelog: Iterable[Any]) -> Engine:
    """An engine that knows what the changelog says, as a worker would that starts now."""
    records = list(changelog)
    if records:
        restore(engine, TP(records[0].topic, records[0].partition), records)
    engine.finish_restore()
    engine.read_back(engine.slots.values())
    return engine


# -- (a) nothing lost


def _as_sent(story: Story, readings: Mapping[int, Sequence[Any]]) -> list[str]:
    """Whether the topic holds what the fleet sent, and nothing else: what follows rests on it."""
    there = {number: [(record.key, record.value) for record in some] for number, some in readings.items()}
    sent = {number: [(one.key, one.value) for one in some] for number, some in _messages(story).items()}
    return [] if there == sent else ["the readings topic does not hold what the fleet sent"]


def _messages(story: Story) -> dict[int, list[Message]]:
    partitions = story.settings.broker.partitions
    found: dict[int, list[Message]] = {number: [] for number in range(partitions)}
    for burst in range(story.bursts):
        for message in story.fleet.burst(burst):
            found[partition_of(message.home, partitions)].append(message)
    return found


def _each_in_its_place(
    story: Story,
    readings: Mapping[int, Sequence[Any]],
    labels: Mapping[int, Sequence[Any]],
    rejected: Mapping[int, Sequence[Any]],
) -> list[str]:
    """Each good message has its label or is named by its partner's; each bad one is rejected, and no good one is."""
    wrong: list[str] = []
    for number, messages in _messages(story).items():
        made = [json.loads(record.value) for record in labels[number]]
        labelled = {label["source_offset"] for label in made}
        partners = {label["partner_offset"] for label in made}
        refused = {json.loads(record.value)["source_offset"] for record in rejected[number]}
        last = {message.home: at for at, message in enumerate(messages) if message.good}
        for at, (message, record) in enumerate(zip(messages, readings[number], strict=False)):
            by_tag = message.good and b'"tag"' in (message.value or b"")
            has_label = record.offset in labelled or (by_tag and record.offset in partners)
            may_wait = message.may_have_no_partner or last.get(message.home) == at
            held = by_tag and not has_label and may_wait
            if message.good != (has_label or held) or message.good == (record.offset in refused):
                wrong.append(f"readings/{number}/{record.offset} (good: {message.good}) is not where it belongs")
    return wrong[:5] + ([f"... and {len(wrong) - 5} more"] if len(wrong) > 5 else [])


# -- (b) sent twice, equal to the letter


def _by(name: str, records: Iterable[Any]) -> dict[Any, list[bytes]]:
    """Bytes of records by a field in them, each as often as it was sent."""
    found: dict[Any, list[bytes]] = defaultdict(list)
    for record in records:
        found[json.loads(record.value)[name]].append(record.value)
    return found


def _altered(labels: Mapping[str, Sequence[bytes]]) -> list[str]:
    return [
        f"{label_id} was sent twice with different content: {_fields_that_differ(copies[0], other)}"
        for label_id, copies in labels.items()
        for other in set(copies[1:]) - {copies[0]}
    ][:5]


def _out_of_order(records: Sequence[Any]) -> list[str]:
    """First labels of a machine that came, the first time, behind those of a later reading."""
    seen: set[int] = set()
    newest: dict[bytes, int] = {}
    wrong = []
    for record in records:
        label = json.loads(record.value)
        offset = label["source_offset"]
        if label["revision"] or offset in seen:
            continue
        seen.add(offset)
        if offset < newest.get(record.key, -1):
            wrong.append(f"{label['label_id']} came after a label of offset {newest[record.key]}")
        newest[record.key] = max(offset, newest.get(record.key, -1))
    return wrong[:5]


# -- (c) as if nobody had disturbed it


def _unlike(calm: Partition, number: int, sent: Mapping[str, Mapping[int, Sequence[Any]]]) -> list[str]:
    """Labels, incidents and rejections that an undisturbed run does not make, or makes otherwise.

    Of training requests it is only compared which machines have one: they hold the history at the end of a run, and how
    readings are cut into runs depends on the clock.
    """
    names = {"labels": "label_id", "rejected": "source_offset"}
    wrong = []
    for topic, field in names.items():
        here = {key: copies[0] for key, copies in _by(field, sent[topic][number]).items()}
        there = {json.loads(value)[field]: value for _, value in getattr(calm.output, topic)}
        wrong += [f"{topic}: {one}" for one in _unlike_each_other(here, there)]
    asked = {_asks_for(record.value) for record in sent["training"][number]}
    if unlike := asked ^ {_asks_for(value) for _, value in calm.output.training}:
        wrong.append(f"training: {sorted(unlike)[:3]} asked for in only one of the two")
    here = {record.value: record.value for record in sent["incidents"][number]}
    there = {value: value for _, value in calm.output.incidents}
    return wrong + [f"incidents: {one}" for one in _unlike_each_other(here, there)]


def _asks_for(value: bytes) -> tuple[str, str, str]:
    request = json.loads(value)
    return request["machine_id"], request["stack"], request["reason"]


def _unlike_each_other(here: Mapping[Any, bytes], there: Mapping[Any, bytes]) -> list[str]:
    wrong = [f"{key!r} only in the story" for key in here.keys() - there.keys()][:3]
    wrong += [f"{key!r} only in the undisturbed run" for key in there.keys() - here.keys()][:3]
    differ = [key for key in here.keys() & there.keys() if here[key] != there[key]]
    wrong += [f"{key}: {_fields_that_differ(here[key], there[key])} in {here[key]!r}" for key in sorted(differ)[:3]]
    return wrong + ([f"{len(differ)} differ"] if differ else [])


def _fields_that_differ(one: bytes, other: bytes) -> dict[str, tuple[Any, Any]]:
    first, second = json.loads(one), json.loads(other)
    return {name: (first.get(name), second.get(name)) for name in first if first.get(name) != second.get(name)}
