"""Writes the table of rights in docs/security.md from the programs' declarations: python tools/rights_table.py"""

from pathlib import Path

from streams.access.rights import Rights, rights
from streams.settings import Settings

DOCUMENT = Path(__file__).parent.parent / "docs" / "security.md"
_START, _END = "<!-- rights -->\n", "<!-- end rights -->"


def written(text: str) -> str:
    """``text`` with the table made anew."""
    head, rest = text.split(_START)
    lines = ["| program | Read | Write | group | transactional ids |", "|---|---|---|---|---|"]
    lines += [_line(program, needed) for program, needed in rights(Settings()).items()]
    return head + _START + "\n".join(lines) + "\n" + _END + rest.split(_END, 1)[1]


def _line(program: str, needed: Rights) -> str:
    reads, writes = (", ".join(f"`{one.name}`" for one in topics) for topics in (needed.reads, needed.writes))
    group = f"Read `{needed.joins}`" if needed.joins else ", ".join(f"Describe `{one}`" for one in needed.looks_at)
    group = f"Read on all that begin with `{needed.joins_all}`" if needed.joins_all else group
    claims = f"Write on all that begin with `{needed.claims}`" if needed.claims else ""
    return f"| {program} | {reads} | {writes} | {group} | {claims} |"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
