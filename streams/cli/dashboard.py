"""``wellsentry dashboard``."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def dashboard(
        host: Annotated[str | None, typer.Option(help="Address to listen at.")] = None,
        port: Annotated[int | None, typer.Option(help="Port; 0 is any free one.")] = None,
    ) -> None:
        """Serve the live dashboard to browsers: the fleet, each machine, incidents, health."""
        from streams.cli.context import flags_given
        from streams.dashboard.serving import run_dashboard
        from streams.settings import load_settings

        given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        flags = flags_given()
        run_dashboard(load_settings(**{**flags, "dashboard": {**flags.get("dashboard", {}), **given}}))
