"""``wellsentry schema``."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def schema(
        name: Annotated[str | None, typer.Argument(help="Show this one, as Label; without it all are named.")] = None,
        to: Annotated[
            Path | None,
            typer.Option(help="Write the whole contract into this directory: with AsyncAPI and TypeScript."),
        ] = None,
        check: Annotated[
            Path | None,
            typer.Option(help="Say what differs from the contract in this directory, and what that breaks."),
        ] = None,
    ) -> None:
        """The contract: JSON Schemas of all that crosses a boundary, AsyncAPI of the topics, TypeScript types.

        With --check exit status 1 if a change breaks another program and the contract's version does not say so.
        """
        if check is not None:
            _check(check)
        elif to is not None:
            _write(to)
        else:
            _show(name)


def _show(name: str | None) -> None:
    from schemas.published import PUBLISHED, schema_text

    names = {model.__name__: model for model in PUBLISHED}
    if name is None:
        for each, model in names.items():
            typer.echo(f"{each:16} {' '.join((model.__doc__ or '').split()).split('. ')[0].rstrip('.')}")
    elif name in names:
        typer.echo(schema_text(names[name]), nl=False)
    else:
        raise typer.BadParameter(f"there is no schema {name!r}; there are {', '.join(names)}")


def _write(directory: Path) -> None:
    from streams.contract_files import contract_files

    files = contract_files()
    directory.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (directory / file).write_text(text)
    typer.echo(f"{len(files)} files of the contract written to {directory}")


def _check(directory: Path) -> None:
    from schemas.exports.compatibility import changes, says_so
    from schemas.published import READ, WRITTEN
    from streams.contract_files import contract_here, read_contract

    old, new = read_contract(directory), contract_here()
    found = changes(old, new, *({model.__name__ for model in models} for models in (READ, WRITTEN)))
    for one in sorted(found, key=lambda change: not change.breaks):
        typer.echo(f"{'breaks  ' if one.breaks else 'harmless'}  {one.where} {one.what}")
    breaking = sum(one.breaks for one in found)
    typer.echo(f"{old.version} -> {new.version}: {len(found)} changes, {breaking} of which break other programs")
    if not says_so(old.version, new.version, found):
        typer.echo(
            "CONTRACT_VERSION in schemas/published.py needs a higher major version, or the changes that break have to go"
        )
        raise typer.Exit(1)
