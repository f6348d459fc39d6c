"""``wellsentry feed``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from schemas.readings import DEFAULT_CLIENT


class Form(StrEnum):
    """Of the messages."""

    WIDE = "wide"
    TAG = "tag"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def feed(
        paths: Annotated[list[Path], typer.Argument(help="CSV or Parquet files, or directories of them.")],
        client: Annotated[str, typer.Option(help="Client of files that name none.")] = DEFAULT_CLIENT,
        factor: Annotated[float | None, typer.Option(help="So many times as fast as they were measured [1].")] = None,
        flat_out: Annotated[bool, typer.Option("--flat-out", help="As fast as Kafka takes them.")] = False,
        form: Annotated[Form, typer.Option(help="One message for a reading, or for each of its signals.")] = Form.WIDE,
        as_json: Annotated[bool, typer.Option("--json", help="Tell the result as JSON.")] = False,
    ) -> None:
        """Send readings from files into the readings topic, all files together, at their own pace or faster.

        A file's columns are the time and the signals; a machine_id column, or the file's name, says whose they are.
        """
        import asyncio

        from streams.cli.context import settings_in_force
        from streams.feed import Pace
        from streams.feed import feed as send
        from streams.feed_progress import feed_bar, tell_report
        from streams.files import read_files
        from streams.files.counting import count_readings
        from streams.files.merging import merge

        pace = Pace(chosen_factor(factor, flat_out, 1.0))
        settings = settings_in_force()
        with feed_bar("feeding", count_readings(paths)) as show:
            readings = merge(read_files(paths, client))
            report = asyncio.run(send(settings, readings, pace=pace, on_progress=show, form=form.value))
        tell_report(report, as_json=as_json)


def chosen_factor(factor: float | None, flat_out: bool, usual: float) -> float | None:
    """The pace's factor that the two options mean; None is flat out."""
    if flat_out and factor is not None:
        raise typer.BadParameter("give --factor or --flat-out, not both")
    if flat_out:
        return None
    return usual if factor is None else factor
