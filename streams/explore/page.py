"""The page: sentences first, then all machines together, then each of them. One file, nothing from elsewhere, no script."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from typing import Final

from models.explore.names import names
from models.explore.resemblance import Resemblance
from models.explore.series import LOAD, Series
from schemas.exploration import Exploration, Finding
from streams.explore.pictures.fleet import MOST_ROWS, levels, likeness, presence
from streams.explore.pictures.small import sparkline
from streams.explore.sections import Detail, machine_section, wide
from streams.explore.tables import machines_table

#: From so many machines on each is folded up, and drawn a little coarser.
_FOLDED: Final = 4
_COARSE: Final = 20
#: Machines drawn one by one; the JSON has all. Who wants to see another asks for it with --machine.
_MOST_DRAWN: Final = 200


def page(exploration: Exploration, fleet: Sequence[Series], alike: Resemblance | None) -> str:
    """The whole of it; ``fleet`` in the order of the exploration's machines."""
    return "".join(_parts(exploration, fleet, alike))


def _parts(exploration: Exploration, fleet: Sequence[Series], alike: Resemblance | None) -> Iterator[str]:
    style = resources.files("streams.explore").joinpath("page.css").read_text(encoding="utf-8")
    title = f"What the readings look like: {exploration.source}"
    yield (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{style}</style></head><body><header><h1>What the readings look like</h1>"
        f'<p class="note">{escape(exploration.source)}. wellsentry {escape(exploration.code_version)}, '
        f"{escape(exploration.git_commit[:12])}.</p></header><main>"
    )
    called = names((one.client_id, one.machine_id) for one in exploration.machines)
    anchors = {name: f"m{place}" for place, name in enumerate(called.values()) if place < _MOST_DRAWN}
    yield '<section aria-labelledby="short"><h2 id="short">In short</h2><ol class="findings">'
    for finding in exploration.findings:
        yield _sentence(finding, anchors)
    yield "</ol></section>"
    if len(fleet) > 1:
        yield "".join(_together(exploration, fleet, alike, anchors))
    detail = Detail.FINE if len(fleet) < _COARSE else Detail.COARSE
    shown = list(zip(fleet, exploration.machines, called.values(), strict=True))
    if len(fleet) >= _FOLDED:
        yield '<h2 id="each">Each machine</h2>'
    for place, (series, its, name) in enumerate(shown[:_MOST_DRAWN]):
        section = machine_section(series, its, f"m{place}", detail)
        if len(fleet) >= _FOLDED:
            yield f"<details><summary><b>{escape(name)}</b></summary>{section}</details>"
        else:
            yield f'<section aria-labelledby="m{place}">{section}</section>'
    if len(shown) > _MOST_DRAWN:
        yield (
            f'<p class="note">{len(shown) - _MOST_DRAWN} more machines are in the table and in the JSON; draw one with '
            "<code>--machine</code>.</p>"
        )
    yield "</main></body></html>\n"


def _sentence(finding: Finding, anchors: dict[str, str]) -> str:
    said = escape(finding.sentence)
    if finding.machine in anchors:
        name = escape(finding.machine)
        said = said.replace(name, f'<a href="#{anchors[finding.machine]}">{name}</a>', 1)
    asked = f' <span class="ask">{escape(finding.question)}</span>' if finding.question else ""
    return f"<li>{said}{asked}</li>"


def _together(
    exploration: Exploration, fleet: Sequence[Series], alike: Resemblance | None, anchors: dict[str, str]
) -> Iterator[str]:
    yield '<section aria-labelledby="all"><h2 id="all">All machines together</h2>'
    called = list(names((one.client_id, one.machine_id) for one in exploration.machines).values())
    links = [_link(name, anchors) for name in called]
    lines = [sparkline(one, LOAD if LOAD in one.signals else one.signals[0]) for one in fleet]
    yield machines_table(exploration.machines, links, lines)
    if len(fleet) <= MOST_ROWS:
        yield wide(presence(fleet), "When readings came, UTC")
    drawn = levels(exploration)
    if drawn:
        yield wide(drawn, "Where the pressures lie: each machine's median, psi; ringed: perhaps another unit")
    if alike is not None:
        yield "<h3>Who resembles whom</h3><ul>"
        for family in alike.families:
            members = ", ".join(_link(name, anchors) for name in family.machines)
            yield f"<li>Family {family.number}, most typical {_link(family.typical, anchors)}: {members}</li>"
        yield "</ul>"
        if len(fleet) <= MOST_ROWS:
            yield wide(likeness(alike, called), "Machine against machine, by family: the darker, the more alike")
    yield "</section>"


def _link(name: str, anchors: dict[str, str]) -> str:
    return f'<a href="#{anchors[name]}">{escape(name)}</a>' if name in anchors else escape(name)
