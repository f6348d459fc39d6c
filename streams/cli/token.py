"""``wellsentry token``."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def token(
        name: Annotated[str, typer.Argument(help="Of the person or program; it will stand on their feedback.")],
        client: Annotated[list[str] | None, typer.Option(help="Whose machines they may see; again for more.")] = None,
        all_clients: Annotated[bool, typer.Option("--all-clients", help="They may see all machines.")] = False,
        role: Annotated[str, typer.Option(help="see, or answer: give feedback too.")] = "see",
    ) -> None:
        """Make a token for the dashboard: it is told on standard error, its entry for the users file on standard output."""
        import secrets

        from schemas.errors import BadSettings
        from streams.dashboard.access.tokens import RANDOM_BYTES, hash_of, token_of
        from streams.dashboard.access.users import entry_of

        if bool(client) == all_clients:
            raise BadSettings(f"which machines may {name} see? Give --client NAME, again for more, or --all-clients")
        made = token_of(secrets.token_bytes(RANDOM_BYTES))
        entry = entry_of(name, role, "all" if all_clients else client or [], hash_of(made))
        typer.echo(f"The token of {name}, told this once: {made}\nIts entry for dashboard.users_file:", err=True)
        typer.echo(entry)
