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
        from streams.settings import load_settings
        from streams.trainer.app import run_trainer

        run_trainer(load_settings(), publish_only)
