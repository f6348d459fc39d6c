"""What the page shows of one machine."""

from collections.abc import Iterator
from enum import Enum
from html import escape
from typing import Final

from models.explore.series import Series
from models.explore.words import day, duration, number, share
from schemas.exploration import MachineExploration
from streams.explore.pictures.lanes import colour, lanes, strange_words
from streams.explore.pictures.small import against, cycle_lengths, daily_pattern, histogram
from streams.explore.tables import correlations_table, signals_table, stretches_table

#: Strange stretches that are drawn anew, with their surroundings; one where pictures are coarse.
_DRAWN_STRANGE: Final = 3
_STRANGE_COLUMNS: Final = 160
_DAILY_DRAWN: Final = 0.1


class Detail(Enum):
    """How finely lines are drawn: into how many columns."""

    FINE = 640
    COARSE = 240


def facts(its: MachineExploration) -> str:
    """A machine in one line."""
    made = [f"{its.readings:,} readings", f"{day(its.first)} to {day(its.last)} UTC"]
    if its.sampling is not None:
        made.append(f"one every {duration(its.sampling.interval_s)}, {share(its.sampling.coverage)} of them there")
    if its.gaps.count:
        made.append(f"{its.gaps.count:,} gaps of {duration(its.gaps.total_s)} together")
    if its.cycles is not None:
        made.append(f"cycles of {number(its.cycles.median_min)} min")
    return "; ".join(made)


def machine_section(series: Series, its: MachineExploration, anchor: str, detail: Detail) -> str:
    """Everything about a machine, its heading first."""
    return "".join(_parts(series, its, anchor, detail))


def _parts(series: Series, its: MachineExploration, anchor: str, detail: Detail) -> Iterator[str]:
    yield f'<h2 class="machine" id="{anchor}">{escape(its.machine_id)}</h2><p class="note">{escape(facts(its))}.'
    yield f" Most like it: {escape(', '.join(its.nearest))}.</p>" if its.nearest else "</p>"
    yield wide(lanes(series, its, detail.value), "Over time; pressures in psi, times in UTC", key=True)
    if its.strange:
        yield "<h3>Strangest stretches</h3>"
        drawn = its.strange[: _DRAWN_STRANGE if detail is Detail.FINE else 1]
        for place, one in enumerate(drawn):
            yield wide(lanes(series, its, _STRANGE_COLUMNS, one), f"{place + 1}: {strange_words(one)}")
    yield "<h3>How values lie</h3>" + signals_table(its) + '<div class="many">'
    for place, signal in enumerate(its.signals):
        if signal.distribution is not None:
            yield histogram(signal.signal, signal.distribution, colour(signal.signal, place))
    yield "</div>"
    if its.correlations:
        yield "<h3>What goes together</h3>" + correlations_table(its.correlations)
    small = list(_small(series, its))
    if small:
        yield '<div class="many">' + "".join(small) + "</div>"
    if its.gaps.count or any(one.frozen or one.missing.count for one in its.signals):
        yield "<h3>Missing and frozen</h3>" + stretches_table(its)


def _small(series: Series, its: MachineExploration) -> Iterator[str]:
    if its.correlations:
        yield against(series, its.correlations[0].first, its.correlations[0].second)
    if its.cycles is not None:
        yield cycle_lengths(its.cycles)
    for place, signal in enumerate(its.signals):
        if signal.daily is not None and signal.daily.strength >= _DAILY_DRAWN:
            yield daily_pattern(signal.signal, signal.daily, colour(signal.signal, place))


_KEY: Final = (
    '<span class="key gap"></span>no reading<span class="key missing"></span>no value<span class="key frozen"></span>frozen'
    '<span class="key strange"></span>strange'
)


def wide(drawn: str, caption: str, *, key: bool = False) -> str:
    """A picture that a narrow screen scrolls sideways."""
    return (
        f'<figure><div class="wide" tabindex="0" role="region" aria-label="{escape(caption, quote=True)}">{drawn}</div>'
        f"<figcaption>{escape(caption)}{_KEY if key else ''}</figcaption></figure>"
    )
