"""Tables of the page: with a caption, headed columns and headed rows."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from models.explore.words import day, duration, number, share, words
from schemas.exploration import Correlation, MachineExploration, Stretch

_AGREE: Final = 0.3


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """``rows`` are HTML already, the first cell of each names it; ``caption`` and ``head`` are text."""
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in rows
    )
    return (
        f'<div class="table" tabindex="0" role="region" aria-label="{escape(caption, quote=True)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def machines_table(machines: Sequence[MachineExploration], links: Sequence[str], lines: Sequence[str]) -> str:
    """One row for each machine; ``links`` name it, ``lines`` are its small pictures."""
    head = [
        "machine", "over time", "readings", "from", "to", "every", "coverage", "gaps", "missing", "frozen", "casing",
        "tubing", "load", "cycle", "family",
    ]  # fmt: skip
    rows = []
    for one, link, line in zip(machines, links, lines, strict=True):
        its = one.sampling
        rows.append(
            [
                link,
                line,
                f"{one.readings:,}",
                day(one.first),
                day(one.last),
                duration(its.interval_s) if its else "-",
                share(its.coverage) if its else "-",
                f"{one.gaps.count:,}",
                share(max((signal.missing.share for signal in one.signals), default=0.0)),
                share(max((signal.frozen_share for signal in one.signals), default=0.0)),
                *(_median(one, signal) for signal in ("casing_pressure", "tubing_pressure", "load")),
                f"{number(one.cycles.median_min)} min" if one.cycles else "-",
                str(one.family or "-"),
            ]
        )
    return table("Machines. Pressures and load: medians, psi. Missing and frozen: of the worst signal.", head, rows)


def _median(machine: MachineExploration, signal: str) -> str:
    found = next((one.distribution for one in machine.signals if one.signal == signal), None)
    return number(found.median) if found is not None else "-"


def signals_table(machine: MachineExploration) -> str:
    """One row for each signal of a machine."""
    head = [
        "signal", "values", "missing", "lowest", "5 %", "median", "95 %", "highest", "step", "different", "zero", "frozen",
        "daily",
    ]  # fmt: skip
    rows = []
    for one in machine.signals:
        d = one.distribution
        numbers = [number(x) for x in (d.minimum, d.p5, d.median, d.p95, d.maximum, d.step)] if d else ["-"] * 6
        rows.append(
            [
                escape(words(one.signal)),
                f"{one.values:,}",
                share(one.missing.share),
                *numbers,
                f"{d.distinct:,}" if d else "-",
                share(d.zero_share) if d else "-",
                f"{one.frozen_count:,}, {share(one.frozen_share)}" if one.signal != "load" else "-",
                share(one.daily.strength) if one.daily else "-",
            ]
        )
    return table("Signals: pressures in psi, the rest as it came", head, rows)


def correlations_table(pairs: Sequence[Correlation]) -> str:
    """One row for each pair of signals."""
    rows = [
        [
            f"{escape(words(one.first))} and {escape(words(one.second))}",
            f"{one.readings:,}",
            _r(one.pearson),
            _r(one.spearman),
            *_at_lag(one),
        ]
        for one in pairs
    ]
    head = ["signals", "readings", "Pearson", "Spearman", "at best lag", "the lag"]
    return table("Correlations: 1 together, -1 against each other, 0 neither", head, rows)


def _r(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _at_lag(one: Correlation) -> tuple[str, str]:
    """How well two agree at their best lag, and the lag; of signals that hardly agree at any, none is told."""
    if one.lag_s is None or one.at_lag is None or abs(one.at_lag) < _AGREE:
        return "-", "-"
    behind = one.second if one.lag_s > 0 else one.first
    lag = f"{escape(words(behind))} {duration(abs(one.lag_s))} later" if one.lag_s else "none"
    return _r(one.at_lag), lag


def stretches_table(machine: MachineExploration) -> str:
    """The longest gaps, stretches without a value, and frozen stretches."""
    rows = [_row("gap", "all", one, f"{one.readings:,} readings fewer") for one in machine.gaps.longest]
    for signal in machine.signals:
        rows += [
            _row("no value", words(signal.signal), one, f"{one.readings:,} readings")
            for one in signal.missing.longest
            if one.readings > 1
        ]
        rows += [
            _row("frozen" if one.others_moved else "all still", words(signal.signal), one, f"at {number(one.value)}")
            for one in signal.frozen
        ]
    rows.sort(key=lambda row: row[2])
    return table(
        "Where something is missing or stands still: the longest of each", ["what", "signal", "from", "for", ""], rows
    )


def _row(what: str, signal: str, one: Stretch, more: str) -> list[str]:
    return [what, escape(signal), day(one.start), duration((one.end - one.start).total_seconds()), more]
