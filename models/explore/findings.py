"""What was found, as sentences: what a domain expert would want to hear first, and what to ask them."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import numpy as np

from models.explore.series import LOAD
from models.explore.together import STRANGE, strange_together
from models.explore.words import day, duration, listed, number, share, words
from schemas.exploration import Family, Finding, MachineExploration, SignalExploration, UnitSuspicion
from schemas.signals import PRESSURES

#: From here on a thing is worth a sentence.
_GAP_SHARE: Final = 0.02
_MISSING_SHARE: Final = 0.01
_FROZEN_SHARE: Final = 0.01
_REPEATED_SHARE: Final = 0.001
_DAILY: Final = 0.3
_CORRELATED: Final = 0.5
_LAG_GAIN: Final = 0.05
_SKEWED: Final = 2.0
_FEW_VALUES: Final = 5
_MANY_READINGS: Final = 100
_STRAIGHT: Final = 0.5
_HARDLY: Final = 1e-3  # of its median
_FASTEST_PLUNGER_MIN: Final = 30.0
#: Of one kind, so many machines have a sentence of their own; the rest have one together.
_MOST_OF_A_KIND: Final = 3


def findings(
    machines: Sequence[MachineExploration], units: Sequence[UnitSuspicion], families: Sequence[Family]
) -> list[Finding]:
    """The most important first."""
    made = [_size(machines), *_of_units(units, machines), *_families(families)]
    together, shared = strange_together(machines)
    made += together
    for machine in machines:
        told = _of_machine(machine)
        made += [one for one in told if one.kind != "strange" or (machine.client_id, machine.machine_id) not in shared]
    return _short(sorted(made, key=lambda one: (-one.weight, one.machine or "", one.sentence)))


def _short(found: Sequence[Finding]) -> list[Finding]:
    """At most three machines of a kind; one more sentence names the others."""
    made: list[Finding] = []
    told: dict[str, int] = {}
    rest: dict[str, list[Finding]] = {}
    for one in found:
        told[one.kind] = told.get(one.kind, 0) + 1
        if one.machine is None or told[one.kind] <= _MOST_OF_A_KIND:
            made.append(one)
        else:
            rest.setdefault(one.kind, []).append(one)
    for kind, others in rest.items():
        place = max(index for index, one in enumerate(made) if one.kind == kind)
        names = list(dict.fromkeys(one.machine for one in others if one.machine is not None))
        text = f"{_ALSO[kind]} {listed(names, 8)}."
        made.insert(place + 1, others[0].model_copy(update={"machine": None, "sentence": text, "question": None}))
    return made


_ALSO: Final = {
    "sampling": "Irregular too:",
    "gap": "Gaps also in",
    "missing": "Values are missing also in",
    "frozen": "Signals stand still also in",
    "unit": "Other units also in",
    "cycles": "Cycles also in",
    "daily": "Days repeat themselves also in",
    "correlation": "Signals go together also in",
    "transform": "Long tails also in",
    "strange": "Strange stretches also in",
    "straight": "Straight lines also in",
    "load": "The load is below 0 also in",
    "order": "Repeated or late readings also in",
}


def _size(machines: Sequence[MachineExploration]) -> Finding:
    readings = sum(one.readings for one in machines)
    first, last = min(one.first for one in machines), max(one.last for one in machines)
    intervals = [one.sampling.interval_s for one in machines if one.sampling is not None]
    often = ""
    if intervals:
        low, high = min(intervals), max(intervals)
        often = f", one every {duration(low)}" if low == high else f", one every {duration(low)} to {duration(high)}"
    named = dict.fromkeys(one.signal for machine in machines for one in machine.signals)
    signals = [words(name) for name in named if name != LOAD]
    subject = f"{len(machines):,} machines" if len(machines) > 1 else f"One machine, {machines[0].machine_id}"
    return Finding(
        kind="size",
        machine=None,
        sentence=f"{subject}: {readings:,} readings of {listed(signals, 8)}, {day(first)} to {day(last)} UTC{often}.",
        question=None,
        weight=1000.0,
    )


def _of_units(units: Sequence[UnitSuspicion], machines: Sequence[MachineExploration]) -> Iterator[Finding]:
    pressures = {
        (one.client_id, one.machine_id): sum(its.signal in PRESSURES for its in one.signals) for one in machines
    }

    def key(one: UnitSuspicion) -> tuple[str, str, str, str, str]:
        return (one.client_id, one.machine_id, one.looks_like, one.instead_of, str(one.since))

    for _, group in groupby(sorted(units, key=key), key):
        same = list(group)
        one = same[0]
        when = "all the time, compared with the other machines"
        if one.since is not None:
            when = f"from {day(one.since)}" + (f" to {day(one.until)}" if one.until is not None else " on")
        question = "Was a transmitter or its scaling changed?"
        if one.since is None:
            whole = len(same) == pressures[one.client_id, one.machine_id]
            question = "Which unit does its system send?" if whole else "Another unit, or another kind of well?"
        yield Finding(
            kind="unit",
            machine=one.machine_id,
            sentence=f"{one.machine_id}: {listed([words(it.signal) for it in same])} {_looks(len(same))} as if in "
            f"{one.looks_like} instead of {one.instead_of}, {when}: {number(1 / one.factor)} times what would fit.",
            question=question,
            weight=600.0 + 10 * len(same),
        )


def _looks(count: int) -> str:
    return "looks" if count == 1 else "look"


def _families(families: Sequence[Family]) -> Iterator[Finding]:
    if len(families) < 2:
        return
    parts = []
    for family in families[:4]:
        levels = [f"{words(name)} {number(value)}" for name, value in list(family.medians.items())[:2]]
        count = f"{len(family.machines)} like {family.typical}" if len(family.machines) > 1 else family.typical
        parts.append(f"{count} ({', '.join(levels)})")
    left = sum(len(family.machines) for family in families[4:])
    more = f"; {left} more in smaller ones" if left else ""
    yield Finding(
        kind="family",
        machine=None,
        sentence=f"The machines fall into {len(families)} families: {'; '.join(parts)}{more}.",
        question="Are these different kinds of lift, or different fields?",
        weight=500.0,
    )


def _of_machine(machine: MachineExploration) -> Iterator[Finding]:
    yield from _of_time(machine)
    for one in machine.signals:
        yield from _of_signal(machine, one)
    yield from _of_shape(machine)


def _of_time(machine: MachineExploration) -> Iterator[Finding]:
    name, its, gaps = machine.machine_id, machine.sampling, machine.gaps
    span_s = (machine.last - machine.first).total_seconds()
    if gaps.count and gaps.total_s >= _GAP_SHARE * span_s:
        longest = gaps.longest[0]
        length = (longest.end - longest.start).total_seconds()
        yield Finding(
            kind="gap",
            machine=name,
            sentence=f"{name}: nothing came for {share(gaps.total_s / span_s)} of the time, in {gaps.count:,} gaps; "
            f"the longest is {duration(length)} from {day(longest.start)}.",
            question="Was it shut in, or was only the connection down?",
            weight=200.0 + 100 * gaps.total_s / span_s,
        )
    if its is not None and its.regular_share < 0.5 and its.longest_s > 2 * its.shortest_s:
        yield Finding(
            kind="sampling",
            machine=name,
            sentence=f"{name}: readings come irregularly, {duration(its.shortest_s)} to {duration(its.longest_s)} apart.",
            question="Does it send only what changed?",
            weight=100.0,
        )
    if machine.repeated + machine.out_of_order > _REPEATED_SHARE * machine.readings:
        yield Finding(
            kind="order",
            machine=name,
            sentence=f"{name}: {machine.repeated:,} readings came twice, {machine.out_of_order:,} after a newer one.",
            question=None,
            weight=80.0 + 100 * (machine.repeated + machine.out_of_order) / machine.readings,
        )


def _of_signal(machine: MachineExploration, its: SignalExploration) -> Iterator[Finding]:
    name, what, d = machine.machine_id, words(its.signal), its.distribution
    derived = its.signal == LOAD
    if its.missing.share >= _MISSING_SHARE and not derived:
        causes = ", ".join(f"{count:,} {_cause(cause)}" for cause, count in its.missing.by_cause.items())
        yield Finding(
            kind="missing",
            machine=name,
            sentence=f"{name}: {what} has no usable value in {share(its.missing.share)} of the readings ({causes}).",
            question=None,
            weight=180.0 + 100 * its.missing.share,
        )
    hanging = [one for one in its.frozen if one.others_moved]
    if hanging and its.frozen_share >= _FROZEN_SHARE:
        one = hanging[0]
        yield Finding(
            kind="frozen",
            machine=name,
            sentence=f"{name}: {what} stands still while others move, {share(its.frozen_share)} of the time; the longest "
            f"is {duration((one.end - one.start).total_seconds())} at {number(one.value)} from {day(one.start)}.",
            question="Does the gauge hang, or its line plug?",
            weight=220.0 + 100 * its.frozen_share,
        )
    if d is None:
        return
    if d.distinct <= _FEW_VALUES and its.values >= _MANY_READINGS and not derived:
        yield Finding(
            kind="frozen",
            machine=name,
            sentence=f"{name}: {what} shows only {d.distinct} different value{'s' if d.distinct > 1 else ''} "
            f"in {its.values:,} readings, around {number(d.median)}.",
            question="Is anything connected?",
            weight=230.0,
        )
    elif d.p99 - d.p1 < _HARDLY * abs(d.median) and its.values >= _MANY_READINGS and not derived:
        yield Finding(
            kind="frozen",
            machine=name,
            sentence=f"{name}: {what} hardly moves: {d.p1:,.2f} to {d.p99:,.2f} in {its.values:,} readings.",
            question="Is it measured, or held by something?",
            weight=215.0,
        )
    elif its.straight_share is not None and its.straight_share >= _STRAIGHT and not derived:
        yield Finding(
            kind="straight",
            machine=name,
            sentence=f"{name}: {what} runs in straight lines, {share(its.straight_share)} of the time it moves.",
            question="Does the historian fill in between values that are far apart?",
            weight=210.0,
        )
    elif d.skewness is not None and d.skewness > _SKEWED and d.minimum > 0 and d.maximum > 10 * d.median:
        yield Finding(
            kind="transform",
            machine=name,
            sentence=f"{name}: {what} has a long tail, half below {number(d.median)} and up to {number(d.maximum)}; "
            "look at its logarithm.",
            question=None,
            weight=50.0,
        )
    if derived and d.p75 < 0:
        yield Finding(
            kind="load",
            machine=name,
            sentence=f"{name}: the load is below 0, {number(d.p25)} to {number(d.p75)} psi half of the time.",
            question="A pumped well, or are its pressures exchanged, or measured elsewhere than at the wellhead?",
            weight=150.0,
        )
    if its.daily is not None and its.daily.strength >= _DAILY and its.daily.days >= 5 and not derived:
        yield Finding(
            kind="daily",
            machine=name,
            sentence=f"{name}: {what} repeats itself every day: highest at {its.daily.peak_hour:02d}:00 UTC, by "
            f"{number(its.daily.amplitude)} from its lowest hour ({share(its.daily.strength)} of its daily movement).",
            question="Heat on a gauge, a shift, or the line?",
            weight=110.0 + 50 * its.daily.strength,
        )


def _cause(cause: str) -> str:
    return {"empty": "empty", "not_finite": "infinite", "out_of_range": "beyond any gauge"}.get(cause, f"times {cause}")


def _of_shape(machine: MachineExploration) -> Iterator[Finding]:
    name, its = machine.machine_id, machine.cycles
    if its is not None:
        length = (its.longest.end - its.longest.start).total_seconds() / 60
        odd = ""
        if length > 1.8 * its.p90_min:
            odd = f" One took {number(length)} min, from {day(its.longest.start)}."
        yield Finding(
            kind="cycles",
            machine=name,
            sentence=f"{name}: {words(its.signal)} goes in cycles of {number(its.median_min)} min "
            f"({number(its.p10_min)} to {number(its.p90_min)}), {number(its.a_day)} a day.{odd}",
            question=_of_cycles(its.median_min, odd=bool(odd)),
            weight=160.0 if odd else 120.0,
        )
    pairs = [one for one in machine.correlations if LOAD not in (one.first, one.second)]
    strongest = max(pairs, key=lambda one: abs(one.at_lag or one.pearson or 0.0), default=None)
    if strongest is not None:
        yield from _of_pair(
            name, strongest.first, strongest.second, strongest.pearson, strongest.lag_s, strongest.at_lag
        )
    if machine.strange and machine.strange[0].strangeness >= STRANGE:
        one = machine.strange[0]
        what = f"{words(one.signal)} {'stands at' if one.measure == 'level' else 'moves by'} {number(one.value)}"
        yield Finding(
            kind="strange",
            machine=name,
            sentence=f"{name}: least like the rest is {day(one.start)} to {day(one.end)}: {what}, usually "
            f"{number(one.usual_low)} to {number(one.usual_high)}.",
            question="What happened there?",
            weight=140.0 + min(50.0, one.strangeness),
        )


def _of_cycles(minutes: float, *, odd: bool) -> str | None:
    """Heading and slugging take minutes; a plunger takes longer."""
    if minutes < _FASTEST_PLUNGER_MIN:
        return "Heading, or slugging?"
    return "Did the plunger not arrive?" if odd else None


def _of_pair(
    name: str, first: str, second: str, now: float | None, lag_s: float | None, later: float | None
) -> Iterator[Finding]:
    r0 = now or 0.0
    if later is not None and lag_s and abs(later) >= _CORRELATED and abs(later) - abs(r0) >= _LAG_GAIN:
        ahead, behind = (first, second) if lag_s > 0 else (second, first)
        text = (
            f"{name}: {words(behind)} follows {words(ahead)} {duration(abs(lag_s))} later "
            f"(correlation {later:.2f}; {r0:.2f} at once)."
        )
    elif abs(r0) >= _CORRELATED:
        text = f"{name}: {words(first)} and {words(second)} go {'together' if r0 > 0 else 'against each other'} ({r0:.2f})."
    else:
        return
    yield Finding(
        kind="correlation", machine=name, sentence=text, question=None, weight=90.0 + 10 * float(np.abs(later or r0))
    )
