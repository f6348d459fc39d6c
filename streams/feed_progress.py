"""How a feed is shown while it goes on: a bar on stderr, and one line in the end."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from schemas.times import iso
from streams.feed import FeedReport


@contextmanager
def feed_bar(what: str, total: float | None) -> Iterator[Callable[[FeedReport], None]]:
    """A progress bar of ``total`` readings (None: nobody knows); yields what takes the reports."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[at]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total, rate="", at="")

        def show(report: FeedReport) -> None:
            rate = f"{report.readings / report.seconds:,.0f}/s" if report.seconds else ""
            at = "" if report.last_ms is None else iso(report.last_ms)
            progress.update(task, completed=report.readings, rate=rate, at=at)

        yield show


def tell_report(report: FeedReport, *, as_json: bool, **more: object) -> None:
    """Write the report to stdout, as a sentence or as JSON (times in ISO 8601)."""
    if as_json:
        fields = asdict(report)
        for name in ("first", "last"):
            ms = fields.pop(f"{name}_ms")
            fields[name] = None if ms is None else iso(ms)
        typer.echo(json.dumps({**fields, **more}))
        return
    rate = report.readings / report.seconds if report.seconds else 0.0
    typer.echo(
        f"{report.readings:,} readings of {report.machines:,} machines in {report.seconds:.1f} s ({rate:,.0f}/s)"
        + "".join(f", {name} {value}" for name, value in more.items())
    )
