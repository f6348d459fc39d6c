"""``wellsentry notify``."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def notify(
        try_them: Annotated[
            bool, typer.Option("--try", help="Send one example to each target, say what came back, and end.")
        ] = False,
    ) -> None:
        """Tell people and other programs of incidents, by webhooks and apprise. docs/notifications.md shows how.

        A second one takes over when the first is gone.
        """
        from streams.cli.context import settings_in_force
        from streams.notifier.running import run_notifier

        if try_them:
            _try()
        else:
            run_notifier(settings_in_force())


def _try() -> None:
    import asyncio
    from datetime import UTC, datetime

    from streams.cli.context import settings_in_force
    from streams.log import choose_logging
    from streams.notifier.running import require_targets
    from streams.notifier.trying import try_targets

    settings = settings_in_force()
    choose_logging(settings, "notify")
    require_targets(settings)

    async def show() -> bool:
        all_told = True
        async for name, place, outcome in try_targets(settings, datetime.now(UTC)):
            told = outcome.what == "told"
            all_told &= told
            answer = f": {outcome.answer.strip()!r}" if outcome.answer.strip() else ""
            line = f"{name}  {place}  {'told' if told else 'not told'}, {outcome.said}{answer}"
            typer.secho(line, fg="green" if told else "red")
        return all_told

    if not asyncio.run(show()):
        raise typer.Exit(1)
