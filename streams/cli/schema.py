"""``wellsentry schema``."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def schema(
        name: Annotated[str | None, typer.Argument(help="Show this one, as Label; without it all are named.")] = None,
        to: Annotated[Path | None, typer.Option(help="Write all of them into this directory, a file each.")] = None,
    ) -> None:
        """JSON Schemas of all that crosses a boundary: readings, labels, models, manifests. OpenAPI of REST."""
        from schemas.published import PUBLISHED, file_name, schema_text

        if to is not None:
            to.mkdir(parents=True, exist_ok=True)
            for model in PUBLISHED:
                (to / file_name(model)).write_text(schema_text(model))
            from streams.dashboard.openapi import FILE, openapi_of_dashboard

            (to / FILE).write_text(openapi_of_dashboard())
            typer.echo(f"{len(PUBLISHED)} schemas and {FILE} written to {to}")
            return
        names = {model.__name__: model for model in PUBLISHED}
        if name is None:
            for each, model in names.items():
                typer.echo(f"{each:16} {' '.join((model.__doc__ or '').split()).split('. ')[0].rstrip('.')}")
        elif name in names:
            typer.echo(schema_text(names[name]), nl=False)
        else:
            raise typer.BadParameter(f"there is no schema {name!r}; there are {', '.join(names)}")
