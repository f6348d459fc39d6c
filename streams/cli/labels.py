"""``wellsentry labels``."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.readings import DEFAULT_CLIENT

if TYPE_CHECKING:
    from schemas.labels import Label
    from streams.label_store import LabelStore


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def labels(
        machine: Annotated[str, typer.Argument(help="machine_id")],
        begin: Annotated[
            str, typer.Option("--from", help="From this event time on; ISO 8601, or 2h for two hours ago.")
        ] = "24h",
        end: Annotated[str | None, typer.Option("--to", help="Up to, not including; without it to the newest.")] = None,
        client: Annotated[str, typer.Option(help="Whose machine it is.")] = DEFAULT_CLIENT,
        stack: Annotated[str | None, typer.Option(help="Labels of this stack alone.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, as on the topic.")] = False,
        as_csv: Annotated[bool, typer.Option("--csv", help="All fields as CSV.")] = False,
        revisions: Annotated[
            bool, typer.Option("--revisions", help="Also labels that others have replaced since, because of late data.")
        ] = False,
    ) -> None:
        """Show a machine's labels out of DynamoDB, by event time."""
        import time

        from schemas.times import LATEST_MS
        from streams.cli.context import settings_in_force
        from streams.cli.times import moment_ms
        from streams.label_store import LabelStore, latest

        if as_json and as_csv:
            raise typer.BadParameter("give --json or --csv, not both")
        now_ms = round(time.time() * 1000)
        from_ms = moment_ms(begin, now_ms)
        to_ms = LATEST_MS + 1 if end is None else moment_ms(end, now_ms)
        if from_ms >= to_ms:
            raise typer.BadParameter("--from must be before --to")
        settings = settings_in_force()
        with LabelStore(settings.dynamodb, settings.sink) as store:
            everything = store.read(client, machine, max(from_ms, 0), to_ms, stack)
            found = everything if revisions else latest(everything)
            shown = _write_json(found) if as_json else _write_csv(found) if as_csv else _write_table(found, machine)
            if not shown:
                typer.echo(_nothing(store, client, machine, stack, settings.sink.linger_s), err=True)


def _write_json(labels: "Iterable[Label]") -> int:
    shown = 0
    for label in labels:
        typer.echo(label.model_dump_json())
        shown += 1
    return shown


def _write_csv(labels: "Iterable[Label]") -> int:
    import csv
    import json
    import sys

    from schemas.labels import Label

    writer = csv.writer(sys.stdout, lineterminator="\n")
    shown = 0
    for shown, label in enumerate(labels, 1):
        if shown == 1:
            writer.writerow(Label.model_fields)
        row = label.model_dump(mode="json")
        row["signals"] = json.dumps(row["signals"], separators=(",", ":"))
        writer.writerow(row.values())
    return shown


_WIDE = 200
_LOOKS = {"normal": "green", "anomalous": "bold red", "unscored": "dim"}


def _write_table(labels: "Iterable[Label]", machine: str) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from schemas.times import datetime_to_ms, iso

    table = Table(title=f"Labels of {machine}", title_justify="left")
    for name in ("event time", "stack", "feature"):
        table.add_column(name, no_wrap=True)
    for name in ("value", "median", "usual", "surprise"):
        table.add_column(name, no_wrap=True, justify="right")
    for name in ("label", "why", "alert", "model"):
        table.add_column(name, no_wrap=True)
    for label in labels:
        model = label.model_digest or ""
        table.add_row(
            iso(datetime_to_ms(label.event_time)),
            Text(label.stack),
            Text(label.feature),
            _number(label.value, 2),
            _number(label.median, 2),
            _between(label.expected_low, label.expected_high),
            _number(label.surprise, 2),
            Text(label.label, style=_LOOKS[label.label]),
            label.reason or "",
            "" if label.alert == "quiet" else label.alert,
            Text(f"{label.model_rung} {model[:8]}" if label.model_rung else ""),
        )
    if table.row_count:
        console = Console()
        if not console.is_terminal:  # into a file or a pipe nothing is cut off
            console = Console(width=_WIDE)
        console.print(table)
    return table.row_count


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.1f} .. {high:.1f}"


def _nothing(store: "LabelStore", client: str, machine: str, stack: str | None, linger_s: float) -> str:
    """What to say to somebody who sees nothing."""
    from schemas.times import datetime_to_ms, iso

    newest = store.newest(client, machine)
    if newest is None:
        return (
            f"no labels of machine {machine!r} of client {client!r} in table {store.table}. Is the name right, does "
            f"`wellsentry sink` run? A label is there up to {linger_s:g} s after it was made."
        )
    of_stack = "" if stack is None else f" of stack {stack!r}"
    at = iso(datetime_to_ms(newest.event_time))
    return f"no labels{of_stack} of machine {machine!r} in this range; its newest is of {at}: try --from {at[:10]}"
