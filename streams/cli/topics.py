"""``wellsentry topics``."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    topics = typer.Typer(help="The topics wellsentry lives on.", no_args_is_help=True)
    app.add_typer(topics, name="topics")
    as_json = Annotated[bool, typer.Option("--json", help="As JSON.")]

    @topics.command()
    def create(json: as_json = False) -> None:
        """Create the topics that are missing."""
        from streams.cli.context import settings_in_force
        from streams.topics_admin import create_topics

        created = create_topics(settings_in_force())
        if json:
            import msgspec

            typer.echo(msgspec.json.encode({"created": created}))
        else:
            typer.echo("\n".join(f"created {name}" for name in created) or "all topics were there")

    @topics.command()
    def check(json: as_json = False) -> None:
        """Compare the topics with their declarations. Exit status 1 if one differs."""
        from streams.cli.context import settings_in_force
        from streams.topics_admin import check_topics

        found = check_topics(settings_in_force())
        if json:
            import msgspec

            typer.echo(msgspec.json.encode([one.as_dict() for one in found]))
        else:
            for one in found:
                typer.echo(f"{one.topic}: {one.what} is {one.found}, declared {one.declared}; {one.remedy}")
            if not found:
                typer.echo("all topics are as declared")
        raise typer.Exit(1 if found else 0)
