"""``wellsentry sink``."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def sink() -> None:
        """Write labels into DynamoDB. Run more of them to write more at a time.

        The table is created if it is missing.
        """
        from streams.settings import load_settings
        from streams.sink import run_sink

        run_sink(load_settings())
