"""``wellsentry explore``."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def explore(
        paths: Annotated[
            list[Path] | None, typer.Argument(help="CSV or Parquet files, or directories of them [the readings topic].")
        ] = None,
        output: Annotated[Path, typer.Option(help="The page; a .json goes beside it.")] = Path("exploration.html"),
        machine: Annotated[list[str] | None, typer.Option(help="Of this machine alone; repeatable.")] = None,
        client: Annotated[str | None, typer.Option(help="Of this client alone; that of files that name none.")] = None,
        begin: Annotated[
            str | None, typer.Option("--from", help="Measured from then on; ISO 8601, or 7d for seven days ago.")
        ] = None,
        end: Annotated[str | None, typer.Option("--to", help="Measured before then.")] = None,
        unit: Annotated[str, typer.Option(help="Unit of pressures in files.")] = "psi",
    ) -> None:
        """Look at readings before trusting them: one page for whoever knows the wells, and the same as JSON.

        Sizes, sampling, gaps, frozen and missing stretches, distributions, correlations, cycles, daily patterns, suspicious
        units, the strangest stretches, and who resembles whom. Reads the topic without disturbing anybody.
        """
        import time

        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        from schemas.errors import BadReading
        from schemas.units import psi_per
        from streams.cli.context import settings_in_force
        from streams.cli.times import moment_ms
        from streams.explore.gathering import Wanted
        from streams.explore.running import Source, json_beside, run_explore

        now_ms = round(time.time() * 1000)
        wanted = Wanted(
            client,
            tuple(machine or ()),
            from_ms=-(2**62) if begin is None else moment_ms(begin, now_ms),
            to_ms=2**62 if end is None else moment_ms(end, now_ms),
        )
        if wanted.from_ms >= wanted.to_ms:
            raise typer.BadParameter("--from must be before --to")
        if output.suffix.lower() not in (".html", ".htm"):
            raise typer.BadParameter(f"--output {output}: give a name that ends in .html")
        try:
            psi_per(unit)
        except BadReading as error:
            raise typer.BadParameter(f"--unit: {error.detail}") from error
        columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,.0f}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("reading", total=None)

            def show(what: str, count: int) -> None:
                bar.update(task, description=what, completed=count)

            found = run_explore(settings_in_force(), Source(tuple(paths or ()), unit), wanted, output, now_ms, show)
        for finding in found.findings[:10]:
            typer.echo(finding.sentence)
        typer.echo(
            f"{output} and {json_beside(output)}: {len(found.findings)} findings on {len(found.machines):,} machines"
        )
