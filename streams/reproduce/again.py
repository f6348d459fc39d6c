"""A label made again from its evidence, and what differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.engine.engine import Engine
from models.engine.labels import Stamp
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.engine.snapshots import put_snapshots
from schemas.case import Difference, Outcome, Reproduction
from schemas.errors import WellsentryError
from schemas.labels import Label
from schemas.training import FLEET, ModelUpdate
from streams.build_info import BuildInfo
from streams.replay.adoptions import Adoption
from streams.replay.rerun import Rerun
from streams.reproduce.evidence import Evidence, stack_of
from streams.reproduce.looking_up import look_up
from streams.reproduce.places import Message


@dataclass(frozen=True, slots=True)
class Again:
    """What came of it."""

    reproduction: Reproduction
    labels: Sequence[Label]  # of the machine and stack, as they came out


def make_again(evidence: Evidence, build: BuildInfo) -> Again:
    """Judge the readings again as they were judged then, and compare the label. ``build``: the code that does it now."""
    label = evidence.label
    try:
        labels = _rerun(evidence)
    except WellsentryError as error:  # a stack, a detector or a state that this version does not know
        return Again(_reproduction(evidence, build, None, [str(error)]), ())
    made = next((one for one in labels if one.label_id == label.label_id), None)
    why = []
    if made is None:
        why.append("no such label came out: " + _why_none(evidence))
    return Again(_reproduction(evidence, build, made, why), labels)


def _rerun(evidence: Evidence) -> list[Label]:
    label = evidence.label
    settings = EngineSettings(refits=False, detectors={label.stack: label.detector})
    engine = Engine(Machines([stack_of(label)], settings), label.source_partition)
    if evidence.snapshot is not None:
        snapshot = evidence.snapshot.snapshot
        whose = FLEET if snapshot.model_rung == "fleet" else label.machine_id
        put_snapshots(engine, [(snapshot, evidence.models.get((whose, snapshot.model_digest or "")))])
    known = [one for one in evidence.adoptions if (one.machine_id, one.digest) in evidence.models]

    def find(adoption: Adoption) -> ModelUpdate:
        return evidence.models[adoption.machine_id, adoption.digest]

    stamp = Stamp(label.source_topic, label.code_version, label.git_commit)
    output = Rerun(engine, stamp, known, find, evidence.message_bytes).judge(evidence.readings)
    made = [Label.model_validate_json(value or b"") for _, value in output.labels]
    return [one for one in made if (one.client_id, one.machine_id) == (label.client_id, label.machine_id)]


def _reproduction(evidence: Evidence, build: BuildInfo, made: Label | None, why: list[str]) -> Reproduction:
    label = evidence.label
    differences = [] if made is None else differences_between(label, made)
    looked_up = look_up(evidence)
    outcome: Outcome = "identical"
    if made is None:
        outcome = "looked_up" if looked_up is not None and not looked_up.disagrees else "not_judged"
    elif differences:
        outcome = "differs"
    if outcome != "identical":
        why = [*why, *_reasons(evidence, build)]
    return Reproduction(
        label_id=label.label_id,
        outcome=outcome,
        differences=differences,
        why=why,
        looked_up=looked_up,
        from_offset=-1 if evidence.snapshot is None else evidence.snapshot.snapshot.last_offset,
        readings=sum(message.offset <= label.source_offset for message in evidence.readings),
        code_version=build.version,
        git_commit=build.git_commit,
    )


def differences_between(then: Label, now: Label) -> list[Difference]:
    """The fields in which two labels differ, in their order."""
    one, other = then.model_dump(mode="json"), now.model_dump(mode="json")
    return [_difference(name, one[name], other[name]) for name in one if one[name] != other[name]]


def _difference(field: str, then: Any, now: Any) -> Difference:
    return Difference(field=field, then=then, now=now)


def _reasons(evidence: Evidence, build: BuildInfo) -> list[str]:
    label = evidence.label
    found = list(evidence.missing)
    if label.git_commit != build.git_commit:
        found.append(
            f"it was made by commit {label.git_commit} (version {label.code_version}), this is {build.git_commit} "
            f"(version {build.version}): `--with-its-code` makes it again by its own"
        )
    if not found:
        found.append(
            "nothing of what it was made of is missing, and the commit is the same: was its tree clean then, are numpy and "
            "the other packages those of the lock? If so this is a fault: keep the case and report it"
        )
    return found


def _why_none(evidence: Evidence) -> str:
    label = evidence.label
    if not any(_is(message, label.source_offset) for message in evidence.readings):
        return f"its reading, offset {label.source_offset} of partition {label.source_partition}, is no longer there"
    if label.revision:
        return f"revision {label.revision} was not given, of the readings up to {evidence.readings[-1].offset}"
    return "the reading is held, or rejected"


def _is(message: Message, offset: int) -> bool:
    return message.offset == offset
