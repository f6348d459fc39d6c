"""The diff of a replay as one page, that needs nothing else: numbers, machines, the largest changes drawn."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

from schemas.comparison import Change, Comparison
from schemas.times import datetime_to_ms, iso
from streams.replay.around import Around, around_changes
from streams.replay.pictures import draw
from streams.replay.telling import sentences, telling_fields
from streams.replay.whole import Done

_PICTURES: Final = 8
_MACHINES: Final = 200

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #8886; padding: .25rem .7rem; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.2rem 0; } figcaption { color: #777; }
img { background: white; height: auto; max-width: 100%; }
.verdict { border-left: .4rem solid #2166ac; padding: .4rem .9rem; } .differs { border-color: #b35806; }
code { overflow-wrap: anywhere; } .word { white-space: nowrap; }
"""


def write_page(path: Path, done: Done) -> None:
    """Write what ``done`` found to ``path``. Before the replay's own files are removed: labels are drawn from them."""
    if done.comparison is None or done.differences is None:
        raise ValueError("a replay that was not compared has nothing to show")
    pictures = around_changes(done.comparison.largest, done.parts, done.differences, _PICTURES)
    path.write_text("\n".join(_page(done, done.comparison, pictures)), encoding="utf-8")


def _page(done: Done, found: Comparison, pictures: Sequence[Around]) -> Iterator[str]:
    title = f"Replay of {_what(done)}"
    yield f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_STYLE}</style></head><body><main>"
    yield f"<h1>{escape(title)}</h1>"
    yield f'<p class="verdict{"" if found.is_same else " differs"}">{escape(_verdict(found))}</p>'
    yield "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in sentences(done.plan, done.progress)) + "</ul>"
    yield from _table(
        "Labels",
        ("", "labels"),
        (
            ("given then", found.labels_then),
            ("made now", found.labels_now),
            ("identical to the letter", found.identical),
            *((("the same but for who judged", found.only_ignored),) if found.ignored else ()),
            ("changed", found.changed),
            ("missing now", found.missing),
            ("new", found.new),
        ),
    )
    if pictures:
        yield "<h2>The largest changes, drawn</h2>"
        for around in pictures:
            yield from _picture(around)
    if found.verdicts:
        yield from _table("Verdicts of changed labels, then and now", ("verdict", "labels"), found.verdicts.items())
    if found.fields:
        yield from _table("Fields that differ", ("field", "labels"), found.fields.items())
    if found.machines:
        rows = [
            (one.machine_id, one.client_id, one.stack, one.changed, one.missing, one.new,
             iso(datetime_to_ms(one.first_time)), one.first_label_id)
            for one in found.machines[:_MACHINES]
        ]  # fmt: skip
        names = ("machine", "client", "stack", "changed", "missing", "new", "first at", "label")
        yield from _table("Machines", names, rows)
    if found.largest:
        yield from _table("The largest changes", ("at", "machine", "label", "what"), map(_row, found.largest))
    yield "</main></body></html>"


def _what(done: Done) -> str:
    asked = done.plan.asked
    whose = "all machines" if asked.machines is None else ", ".join(asked.machines[:5])
    if asked.machines is not None and len(asked.machines) > len(asked.machines[:5]):
        whose += f" and {len(asked.machines) - 5} more"
    client = "" if asked.client is None else f" of {asked.client}"
    how = "the models then in force" if asked.model is None else f"model {asked.model}"
    if asked.changed:
        how = " and ".join(f"{name} by {asked.detectors.get(name, 'its own detector')}" for name in asked.changed)
    return f"{whose}{client} under {how}"


def _verdict(found: Comparison) -> str:
    if found.is_same:
        return f"No label says anything else than then, of {found.labels_then:,}."
    total = found.changed + found.missing + found.new
    machines = len({(one.client_id, one.machine_id) for one in found.machines})
    return f"{total:,} of {max(found.labels_then, found.labels_now):,} labels of {machines:,} machines are not as they were."


def _picture(around: Around) -> Iterator[str]:
    change = around.change
    at = iso(datetime_to_ms(change.event_time))
    text = (
        f"{change.machine_id}, stack {change.stack}, around {at}: value, median, usual band and surprise, then and now"
    )
    yield f'<figure><img alt="{escape(text)}" src="data:image/png;base64,{base64.b64encode(draw(around)).decode()}">'
    fields = f"<code>{escape(change.label_id)}</code>, {escape(_fields(change))}"
    yield f"<figcaption>{escape(text)}: {fields}</figcaption></figure>"


def _row(change: Change) -> tuple[str, ...]:
    return iso(datetime_to_ms(change.event_time)), change.machine_id, change.label_id, _fields(change)


def _fields(change: Change) -> str:
    shown = ((name, change.fields[name]) for name in telling_fields(change))
    return ", ".join(f"{name} {_short(one.then)} → {_short(one.now)}" for name, one in shown)


def _short(value: object) -> str:
    return "-" if value is None else str(value)


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"<h2>{escape(title)}</h2><table><thead><tr>"
    yield "".join(f'<th scope="col">{escape(name)}</th>' for name in names) + "</tr></thead><tbody>"
    for row in rows:
        yield f"<tr>{''.join(map(_cell, row))}</tr>"
    yield "</tbody></table>"


def _cell(cell: object) -> str:
    if isinstance(cell, int):
        return f'<td class="number">{cell:,}</td>'
    text = str(cell)
    return f"<td>{escape(text)}</td>" if " " in text else f'<td class="word">{escape(text)}</td>'
