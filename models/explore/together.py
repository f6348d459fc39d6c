"""Machines that are least like themselves at the same time: then it is the line, the field or the system, and no well."""

from collections.abc import Sequence
from typing import Final

from models.explore.words import day, listed, words
from schemas.exploration import Finding, MachineExploration, Strange

#: So many of a machine's own spreads away is worth a sentence.
STRANGE: Final = 8.0
_LEAST_MACHINES: Final = 3
_LEAST_SHARE: Final = 0.05


def strange_together(machines: Sequence[MachineExploration]) -> tuple[list[Finding], set[tuple[str, str]]]:
    """A sentence for each time at which several machines' strangest stretches overlap, and the machines in them."""
    left = sorted(
        (
            one.strange[0].model_copy(update={"machine_id": one.machine_id})  # by the name that it has here
            for one in machines
            if one.strange and one.strange[0].strangeness >= STRANGE
        ),
        key=lambda one: one.start,
    )
    found: list[Finding] = []
    shared: set[tuple[str, str]] = set()
    group: list[Strange] = []
    for one in [*left, None]:
        if one is not None and (not group or one.start <= min(other.end for other in group)):
            group.append(one)
            continue
        if len(group) >= max(_LEAST_MACHINES, _LEAST_SHARE * len(machines)):
            found.append(_finding(group))
            shared |= {(other.client_id, other.machine_id) for other in group}
        group = [one] if one is not None else []
    return found, shared


def _finding(group: Sequence[Strange]) -> Finding:
    signals = [words(name) for name in dict.fromkeys(one.signal for one in group)]
    begin, end = max(one.start for one in group), min(one.end for one in group)
    names = listed([one.machine_id for one in group], 8)
    return Finding(
        kind="strange",
        machine=None,
        sentence=f"{len(group)} machines are least like themselves at the same time, {day(begin)} to {day(end)}, by their "
        f"{listed(signals)}: {names}.",
        question="What happened to all of them, the line, a compressor, the system that collects?",
        weight=400.0,
    )
