"""``wellsentry config``."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def config(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
        """Show all settings in force and where each comes from; secrets are hidden."""
        import os

        import msgspec
        from rich.console import Console
        from rich.table import Table

        from streams.cli.context import flags_given, settings_in_force
        from streams.config_report import settings_in_order
        from streams.settings import settings_file

        found = settings_in_order(settings_in_force(), flags_given(), os.environ, settings_file())
        if as_json:
            typer.echo(msgspec.json.encode([one.as_dict() for one in found]).decode())
            return
        table = Table("setting", "value", "from", "what it is", box=None, header_style="dim")
        for one in found:
            style = "" if one.origin == "default" else "bold"
            table.add_row(one.name, str(one.value), one.origin, one.about, style=style)
        Console().print(table)
