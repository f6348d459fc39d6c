"""How ``wellsentry models`` shows what it found."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from models.comparing import CurveDifference
    from streams.models_admin.difference import Comparison
    from streams.models_admin.listing import Row
    from streams.models_admin.verifying import Check

_WIDE = 200


def echo_json(found: Any) -> None:
    """For programs."""
    import json

    typer.echo(json.dumps(found, indent=2))


def echo_table(rows: "Sequence[Row]") -> None:
    """A line each; what should be in force in bold."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("client", "machine", "stack", "model", "fitted", "medians", "because", "parent", "commit", "in force"):
        table.add_column(name, no_wrap=True, justify="right" if name == "medians" else "left")
    for row in rows:
        one = row.manifest
        if one is None:
            client, machine, stack = row.path.split("/")[:3]
            table.add_row(client, machine, stack, row.digest, *[""] * 5, "damaged, see models verify", style="red")
            continue
        others = f"{row.in_force}, {row.older} others" if row.older else row.in_force
        table.add_row(
            *(Text(said) for said in (one.client_id, one.machine_id, one.stack, one.digest)),
            row.fitted_at,
            f"{one.readings:,}",
            one.reason,
            (one.parent_digest or "")[:8],
            one.git_commit[:8],
            Text(others),
            style="bold" if row.in_force and not row.older else None,
        )
    console = Console()
    if not console.is_terminal:  # into a file or a pipe nothing is cut off
        console = Console(width=_WIDE)
    console.print(table)


def echo_pairs(lines: Sequence[tuple[str, str]]) -> None:
    """A name and what is said, a line each."""
    width = max(len(name) for name, _ in lines)
    for name, said in lines:
        typer.echo(f"{name:{width}}  {said}")


def echo_comparison(found: "Comparison") -> None:
    """What differs, part by part; what does not is not shown."""
    typer.echo(f"- {found.before}\n+ {found.after}")
    about = ""
    for one in found.differences:
        if one.about != about:
            about = one.about
            typer.echo(f"\n{about}")
        typer.echo(f"  {one.what}\n    - {one.before}\n    + {one.after}")
    for curve in found.curves:
        _echo_curve(curve)


def _echo_curve(one: "CurveDifference") -> None:
    typer.echo(f"\n{one.feature}")
    if one.usual_before != one.usual_after:
        (low, high), (new_low, new_high) = one.usual_before, one.usual_after
        typer.echo(f"  usual\n    - {low:.2f} to {high:.2f}\n    + {new_low:.2f} to {new_high:.2f}")
    for name, apart in (("surprise", one.surprise), ("score", one.score)):
        if apart is not None:
            typer.echo(f"  {name} differs most at {apart.at:.2f}: {apart.before:.2f}, then {apart.after:.2f}")
    if one.score is None and one.surprise is None and one.usual_before == one.usual_after:
        typer.echo("  the very same look-up")
        return
    typer.echo(
        f"  of the medians of the second, anomalous by the look-up alone: {one.anomalous_before:.2%} by the first, "
        f"{one.anomalous_after:.2%} by the second"
    )


def echo_checks(checks: "Iterable[Check]", entries: int) -> int:
    """What is wrong as it is found, and the sum; how much is wrong."""
    good = bad = 0
    for one in checks:
        if one.ok:
            good += 1
        else:
            bad += 1
            entry = one.path.rsplit("/", 1)[0]
            where = "" if entry in one.what else f"{entry}/{one.file}: "
            typer.secho(f"FAIL  {where}{one.what}", fg="red")
    typer.echo(f"{entries} models, {good + bad} checks, {bad} failed")
    return bad
