"""``wellsentry worker``."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def worker() -> None:
        """Judge readings: labels, incidents and status out. Run more of them to go faster."""
        from streams.cli.context import settings_in_force
        from streams.worker.app import run_worker

        run_worker(settings_in_force())
