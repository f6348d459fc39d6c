"""``wellsentry sink``."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def sink() -> None:
        """Write labels into DynamoDB. Run more of them to write more at a time.

        The table is created if it is missing.
        """
        from streams.cli.context import settings_in_force
        from streams.sink import run_sink

        run_sink(settings_in_force())
