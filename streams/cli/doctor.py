"""``wellsentry doctor``."""

from typing import Annotated

import typer

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
        """Check broker, topics, DynamoDB, registry, clock and versions. Exit status 1 if something is broken."""
        import msgspec

        from streams.cli.context import settings_in_force
        from streams.doctor import examine

        found = []
        for finding in examine(settings_in_force()):
            found.append(finding)
            if not as_json:
                typer.secho(f"{finding.health:4}  {finding.check}: {finding.what}", fg=_STYLES[finding.health])
                if finding.remedy:
                    typer.echo(f"      {finding.remedy}")
        if as_json:
            typer.echo(msgspec.json.encode([one.as_dict() for one in found]).decode())
        raise typer.Exit(1 if any(finding.health == "fail" for finding in found) else 0)
