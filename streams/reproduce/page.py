"""A case as one HTML file that holds everything it shows and asks for nothing from elsewhere."""

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path

from schemas.case import Case
from streams.reproduce.evidence import Evidence
from streams.reproduce.words import outcome_in_words, tell

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1b1b; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
.identical { color: #00664b; } .differs, .not_judged { color: #a33f00; } .looked_up { color: #00507d; }
table { border-collapse: collapse; } td, th { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; }
th { white-space: nowrap; color: #555; font-weight: 600; } td { overflow-wrap: anywhere; }
img { max-width: 100%; } code { background: #f2f2f2; padding: .1rem .3rem; }
"""


def write_page(case: Case, evidence: Evidence, directory: Path) -> None:
    """Write the case's page into its directory, where the picture is already."""
    picture = base64.b64encode((directory / case.picture).read_bytes()).decode()
    (directory / case.page).write_text(_page(case, evidence, picture))


def _page(case: Case, evidence: Evidence, picture: str) -> str:
    found = case.reproduction
    fields = evidence.label.model_dump(mode="json").items()
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(case.label_id)}</title><style>{_STYLE}</style></head><body>
<h1>Label {escape(case.label_id)} of {escape(case.machine_id)}</h1>
<p class="outcome {found.outcome}"><strong>{escape(outcome_in_words(found))}</strong></p>
{_table(tell(evidence, found))}
<h2>Around the moment</h2>
<img alt="signals, median and usual range, surprise and alert, the model's score curve, and the views" \
src="data:image/png;base64,{picture}">
<h2>The label, field by field</h2>
{_table((name, "" if value is None else str(value)) for name, value in fields)}
<h2>Again</h2>
<p>This directory holds all that the label was made of. <code>wellsentry reproduce DIRECTORY</code> makes it again,
<code>python {escape(case.plot)}</code> draws the picture again.</p>
</body></html>
"""


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = "\n".join(f"<tr><th>{escape(what)}</th><td>{escape(said)}</td></tr>" for what, said in rows)
    return f"<table>\n{lines}\n</table>"
