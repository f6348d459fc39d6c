"""Which model was in force for which machine from which reading on, as labels tell it; and which code judged.

When a model came into force depended on the clock. So each label names its model and since which offset that is in force.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.replay.lines import FirstCopies, LabelHead


class Whose(NamedTuple):
    """One stack's machine."""

    client_id: str
    machine_id: str
    stack: str


class Step(NamedTuple):
    """A model comes into force."""

    since_offset: int
    digest: str
    rung: str  # own or fleet


class Code(NamedTuple):
    """What labels say of the code that made them, from the reading at ``offset`` on."""

    offset: int
    version: str
    git_commit: str


@dataclass(slots=True)
class Then:
    """What the labels of one partition tell of the time when they were given."""

    steps: dict[Whose, list[Step]] = field(default_factory=dict)
    codes: list[Code] = field(default_factory=list)
    end_offset: int = 0  # behind the last reading that has a label
    labels: int = 0

    def add(self, cause: int, head: LabelHead) -> None:
        """Take in a label that the reading at ``cause`` made. They come in the order of their topic, each once."""
        self.labels += 1
        if cause >= self.end_offset:
            self.end_offset = cause + 1
            code = (head.code_version, head.git_commit)
            if not self.codes or self.codes[-1][1:] != code:
                self.codes.append(Code(cause, *code))
        if head.model_digest is None or head.model_since_offset is None or head.model_rung is None:
            self.steps.setdefault(Whose(head.client_id, head.machine_id, head.stack), [])
            return
        known = self.steps.setdefault(Whose(head.client_id, head.machine_id, head.stack), [])
        if not known or known[-1][:2] != (head.model_since_offset, head.model_digest):
            known.append(Step(head.model_since_offset, head.model_digest, head.model_rung))

    @property
    def machines(self) -> set[tuple[str, str]]:
        """Client and machine of all that were labelled."""
        return {(one.client_id, one.machine_id) for one in self.steps}


def told_by(heads: Iterable[LabelHead]) -> Then:
    """The same of labels in the order of their topic.

    >>> def label(offset, since, digest, revision=0):
    ...     label_id = f"load-0-{offset}-{revision}"
    ...     return LabelHead(label_id, "acme", "well-7", "load", digest, digest and "own", since, "0.1.0", "c0ffee")
    >>> told_by([label(7, None, None), label(8, 8, "aa"), label(9, 8, "aa"), label(12, 11, "bb")]).steps.values()
    dict_values([[Step(since_offset=8, digest='aa', rung='own'), Step(since_offset=11, digest='bb', rung='own')]])
    """
    then, copies = Then(), FirstCopies()
    for head in heads:
        cause = copies.cause(head.label_id)
        if cause is not None:
            then.add(cause, head)
    return then


def joined(earlier: Then, later: Then) -> Then:
    """What labels of earlier and of later readings tell together."""
    made = Then(end_offset=max(earlier.end_offset, later.end_offset), labels=earlier.labels + later.labels)
    for one in (earlier, later):
        for whose, steps in one.steps.items():
            known = made.steps.setdefault(whose, [])
            known += [step for step in steps if not known or step.since_offset > known[-1].since_offset]
        made.codes += [code for code in one.codes if not made.codes or made.codes[-1][1:] != code[1:]]
    return made


#: By machine (its name as a key of Kafka's): offsets from which on something is different for it, rising.
Turns = Mapping[bytes, Sequence[int]]


def in_turns(records: Sequence[object], turns: Turns) -> list[list[object]]:
    """Records of a partition, cut where something changes for their machine, and only theirs.

    The first list holds what comes before any change of its machine, the second what comes after its first one, and so on.
    Each machine's records stay in order, which is all that an engine needs; so that a refit of one machine does not cut the
    run of all the others.
    """
    made: list[list[object]] = [[]]
    if not turns:
        return [list(records)]
    for record in records:
        offsets = turns.get(record.key)  # type: ignore[attr-defined]
        turn = 0 if offsets is None else sum(offset <= record.offset for offset in offsets)  # type: ignore[attr-defined]
        while turn >= len(made):
            made.append([])
        made[turn].append(record)
    return made
