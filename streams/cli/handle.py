"""``wellsentry handle``."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def handle(
        event: Annotated[Path, typer.Argument(metavar="EVENT.json", help="client_id, machine_id, lookback in days.")],
        source: Annotated[str | None, typer.Option(help="topic, or a file or directory [handler.source].")] = None,
        stack: Annotated[str | None, typer.Option(help="The stack that judges [handler.stack].")] = None,
        unit: Annotated[str | None, typer.Option(help="Unit of the pressures in files [handler.unit].")] = None,
        write: Annotated[bool, typer.Option("--write", help="Write the labels into DynamoDB, too.")] = False,
    ) -> None:
        """Answer one event as AWS Lambda would: look back at a machine, and print what its stack thinks, as JSON."""
        import json

        from schemas.errors import BadInputFile
        from streams.cli.context import flags_given
        from streams.handler.by_settings import job_named, source_named
        from streams.handler.keeping import keep_in
        from streams.handler.serving import answer, outside_of
        from streams.label_store import LabelStore
        from streams.log import setup_logging
        from streams.settings import load_settings

        own = {"source": source, "stack": stack, "unit": unit}
        given = {name: value for name, value in own.items() if value is not None}
        settings = load_settings(**flags_given(), handler=given)
        setup_logging(settings, "handler")
        try:
            read = json.loads(event.read_bytes())
        except (OSError, ValueError) as error:
            raise BadInputFile(
                f"{event} cannot be read as JSON: {error}. It must hold an object with client_id, machine_id and lookback."
            ) from error
        job, origin = job_named(settings.handler.stack), source_named(settings)
        if write:
            with LabelStore(settings.dynamodb, settings.sink) as store:
                said = answer(job, outside_of(origin, settings, keep_in(store)), read)
        else:
            said = answer(job, outside_of(origin, settings, None), read)
        typer.echo(json.dumps(said))
        if said["status"] == "bad_event":
            raise typer.Exit(1)
