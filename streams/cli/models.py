"""``wellsentry models``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.models_admin.find import Scope
    from streams.registry import Registry

Client = Annotated[str | None, typer.Option("--client", help="Only this client's.")]
Machine = Annotated[str | None, typer.Option("--machine", help="Only this machine's; '*' is a client's fleet.")]
Stack = Annotated[str | None, typer.Option("--stack", help="Only this stack's.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Digest = Annotated[str, typer.Argument(help="Digest of the model, as on its labels; its beginning will do.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    models = typer.Typer(help="Models in the registry: which there are, and which is in force.", no_args_is_help=True)
    app.add_typer(models, name="models")

    for add in (_add_list, _add_show, _add_diff, _add_verify, _add_activate):
        add(models)


def _add_list(models: typer.Typer) -> None:
    @models.command("list")
    def list_models(
        machine: Annotated[str | None, typer.Argument(help="All models of this machine; '*' is the fleet.")] = None,
        client: Client = None,
        stack: Stack = None,
        most: Annotated[int, typer.Option(help="So many machines, or so many models of one.", min=1)] = 20,
        everything: Annotated[bool, typer.Option("--all", help="All there are, instead of --most.")] = False,
        as_json: Json = False,
    ) -> None:
        """List models: which should be in force of each machine, or those of one machine; the newest first."""
        from streams.cli.models_shown import echo_json, echo_table
        from streams.models_admin.listing import all_of, newest_of_each

        registry, scope = _registry(), _scope(client, machine, stack)
        look = newest_of_each if machine is None else all_of
        rows, more = look(registry, scope, None if everything else most)
        if more:
            what = "machines with models" if machine is None else "older models"
            typer.echo(f"{more:,} more {what}: --all shows them, --most 100 some of them", err=True)
        if as_json:
            echo_json([row.as_dict() for row in rows])
        elif rows:
            echo_table(rows)
        else:
            typer.echo(
                f"no models{scope} in {registry.url}. A machine gets its first one after 200 readings, if "
                "`wellsentry trainer` runs; is registry.url right?",
                err=True,
            )


def _add_show(models: typer.Typer) -> None:
    @models.command()
    def show(
        digest: Digest,
        client: Client = None,
        machine: Machine = None,
        stack: Stack = None,
        plot: Annotated[Path | None, typer.Option(help="Draw the model into this file (.png, .svg or .pdf).")] = None,
        as_json: Json = False,
    ) -> None:
        """Show everything about a model: its manifest, what it takes as usual, and who activated it."""
        from streams.cli.models_shown import echo_json, echo_pairs
        from streams.models_admin.drawing import draw_entry
        from streams.models_admin.find import find
        from streams.models_admin.showing import shown

        registry = _registry()
        path = find(registry, digest, _scope(client, machine, stack))
        if as_json:
            echo_json(registry.manifest(path).model_dump(mode="json"))
        else:
            echo_pairs(shown(registry, path))
        if plot is not None:
            draw_entry(registry, path, plot)
            typer.echo(f"drawn into {plot}", err=True)


def _add_diff(models: typer.Typer) -> None:
    @models.command()
    def diff(
        before: Digest,
        after: Digest,
        client: Client = None,
        machine: Machine = None,
        stack: Stack = None,
        as_json: Json = False,
    ) -> None:
        """Compare two models: data, parameters, code, packages, what is usual, and the score curve."""
        from streams.cli.models_shown import echo_comparison, echo_json
        from streams.models_admin.difference import compare
        from streams.models_admin.find import find

        registry, scope = _registry(), _scope(client, machine, stack)
        comparison = compare(registry, find(registry, before, scope), find(registry, after, scope))
        if as_json:
            echo_json(comparison.as_dict())
        else:
            echo_comparison(comparison)


def _add_verify(models: typer.Typer) -> None:
    @models.command()
    def verify(
        digest: Annotated[str | None, typer.Argument(help="Only this model; its beginning will do.")] = None,
        client: Client = None,
        machine: Machine = None,
        stack: Stack = None,
        refit: Annotated[
            bool, typer.Option("--refit/--no-refit", help="Fit the stored data again: is it the same model?")
        ] = True,
        as_json: Json = False,
    ) -> None:
        """Check models: every file as it was stored, the digest, and that a fit gives it again. Exit status 1 if not."""
        from streams.cli.models_shown import echo_checks, echo_json
        from streams.models_admin.find import entries, find
        from streams.models_admin.verifying import verify as checks_of

        registry, scope = _registry(), _scope(client, machine, stack)
        paths = entries(registry, scope) if digest is None else [find(registry, digest, scope)]
        checks = (check for path in paths for check in checks_of(registry, path, refit=refit))
        if as_json:
            found = list(checks)
            echo_json([check.as_dict() for check in found])
            bad = sum(not check.ok for check in found)
        else:
            bad = echo_checks(checks, len(paths))
        raise typer.Exit(1 if bad else 0)


def _add_activate(models: typer.Typer) -> None:
    @models.command()
    def activate(
        digest: Digest,
        by: Annotated[str, typer.Option("--by", help="Who does it: it is recorded.")],
        why: Annotated[str, typer.Option("--why", help="Why: it is recorded.")],
        client: Client = None,
        machine: Machine = None,
        stack: Stack = None,
        pin: Annotated[bool, typer.Option("--pin", help="Keep it in force whatever is refitted.")] = False,
        as_json: Json = False,
    ) -> None:
        """Put an older model in force again, within seconds: the rollback.

        The machine's next refit takes its place, unless it is pinned. Activating any model without --pin ends a pin.
        """
        from datetime import UTC, datetime

        from streams.cli.context import settings_in_force
        from streams.cli.models_shown import echo_json
        from streams.models_admin.activating import activate as put_in_force
        from streams.models_admin.find import find

        registry = _registry()
        path = find(registry, digest, _scope(client, machine, stack))
        done = put_in_force(settings_in_force(), registry, path, by, why, datetime.now(UTC), pinned=pin)
        if as_json:
            echo_json({**done.activation.model_dump(mode="json"), "partitions": done.partitions, "record": done.record})
            return
        update, before = done.update, done.activation.replaces
        until = (
            "Pinned: refits are kept and not published."
            if pin
            else "The next refit takes its place; with --pin it stays."
        )
        typer.echo(
            f"{update.digest} is published for {update.client_id}/{update.machine_id}/{update.stack}"
            f"{f', in place of {before}' if before else ''}; workers put it in force as soon as they have read it.\n"
            f"{until}\nRecorded in {registry.url}/{done.record}"
        )


def _registry() -> "Registry":
    from streams.cli.context import settings_in_force
    from streams.registry import Registry

    return Registry(settings_in_force().registry)


def _scope(client: str | None, machine: str | None, stack: str | None) -> "Scope":
    from streams.models_admin.find import Scope

    return Scope(client, machine, stack)
