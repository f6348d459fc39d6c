"""``wellsentry trainer``."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def trainer(
        publish_only: Annotated[
            bool, typer.Option("--publish-only", help="Publish the models that the registry has, and end.")
        ] = False,
    ) -> None:
        """Fit the models that the workers ask for, keep them in the registry and publish them.

        Run more of them to fit more at a time.
        """
        from streams.cli.context import settings_in_force
        from streams.trainer.app import run_trainer

        run_trainer(settings_in_force(), publish_only)
