"""``wellsentry demo``."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def demo(
        once: Annotated[
            bool, typer.Option("--once", help="Stream the files of --input, check, report and end.")
        ] = False,
        input_: Annotated[
            list[Path] | None, typer.Option("--input", help="CSV or Parquet files, or directories of them.")
        ] = None,
        report: Annotated[Path | None, typer.Option(help="Write the report of --once here, as JSON.")] = None,
        labels_out: Annotated[Path | None, typer.Option(help="Write the labels of --once here, one a line.")] = None,
        broker: Annotated[str | None, typer.Option(help="A Kafka, host:port, instead of the embedded broker.")] = None,
        dynamodb: Annotated[
            str | None, typer.Option(help="A DynamoDB, http://host:port, instead of the embedded.")
        ] = None,
        registry: Annotated[
            Path | None, typer.Option(help="Start from this directory's models and keep new ones.")
        ] = None,
        no_refits: Annotated[bool, typer.Option("--no-refits", help="Make no new models.")] = False,
        wells: Annotated[int, typer.Option(help="How many wells to simulate.")] = 50,
        factor: Annotated[float, typer.Option(help="So many times as fast as life.")] = 600.0,
        seed: Annotated[int, typer.Option(help="The same seed gives the same wells.")] = 0,
        seconds: Annotated[float | None, typer.Option(help="End after so long.")] = None,
        plain: Annotated[bool, typer.Option("--plain", help="A line a second instead of the board.")] = False,
    ) -> None:
        """Show everything at work on this machine: 50 simulated wells, faster than life, on a board. Ctrl-C ends it.

        It brings its own broker, DynamoDB and registry, and takes them away again.
        """
        from streams.cli.context import flags_given
        from streams.demo.options import DemoOptions
        from streams.demo.run import run_demo

        if once and not input_:
            raise typer.BadParameter("--once needs --input")
        if not once and (input_ or report or labels_out):
            raise typer.BadParameter("--input, --report and --labels-out go with --once")
        flags = flags_given()
        run_demo(
            DemoOptions(
                broker=broker or flags.get("broker", {}).get("url"),
                dynamodb=dynamodb or flags.get("dynamodb", {}).get("endpoint"),
                registry=registry,
                refits=not no_refits,
                wells=wells,
                seed=seed,
                factor=factor,
                seconds=seconds,
                plain=plain,
                once=tuple(input_ or ()),
                report=report,
                labels_out=labels_out,
            )
        )
