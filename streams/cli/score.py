"""``wellsentry score``."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def score(
        source: Annotated[Path, typer.Argument(metavar="INPUT", help="CSV or Parquet; the first column is the time.")],
        output: Annotated[Path, typer.Option(help="CSV file for the answers.")],
        warmup: Annotated[
            int | None, typer.Option(min=0, help="Rows at the start, taken as normal, not scored.")
        ] = None,
        stack: Annotated[str | None, typer.Option(help="Stack [load with both pressures, else all signals].")] = None,
        detector: Annotated[str | None, typer.Option(help="In place of the stack's own.")] = None,
        unit: Annotated[str, typer.Option(help="Unit of pressures.")] = "psi",
        machine: Annotated[str, typer.Option(help="Name of the machine on the labels.")] = "machine",
        refits: Annotated[bool, typer.Option(help="Fit forests as the readings go by.")] = True,
        explain: Annotated[bool, typer.Option("--explain", help="Write all that a label carries.")] = False,
    ) -> None:
        """Score one machine's file with the very engine of the worker, one reading after the other, without any broker.

        Writes timestamp, score (a surprise: 3 is once in a thousand), label (1: anomalous) and alert (1: one opens).
        """
        from rich.console import Console
        from rich.progress import Progress

        from streams.scoring.tables import Options, score_file

        options = Options(warmup, stack, machine, refits, detector, unit)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("scoring", total=None)

            def show(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            answers = score_file(source, output, options, explain=explain, on_progress=show)
        scored = int((answers.score == answers.score).sum())
        typer.echo(
            f"{len(answers):,} readings, {scored:,} scored, {int(answers.label.sum()):,} anomalous, "
            f"{int(answers.alert.sum()):,} alerts: {output}"
        )
