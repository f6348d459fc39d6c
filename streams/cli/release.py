"""``wellsentry release``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.release import Release


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def release(
        wheel: Annotated[list[Path] | None, typer.Option(help="A wheel that is released; may be repeated.")] = None,
        image: Annotated[list[str] | None, typer.Option(help="An image, NAME@sha256:…; may be repeated.")] = None,
        lock: Annotated[list[Path] | None, typer.Option(help="A lock file it was made from; may be repeated.")] = None,
        to: Annotated[Path | None, typer.Option(help="Write it into this file instead of showing it.")] = None,
        check: Annotated[
            Path | None, typer.Option(help="Compare this environment with the manifest in this file.")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="With --check: what differs as JSON.")] = False,
    ) -> None:
        """Write the release manifest of this environment: commit, artifacts, schemas, packages, locks.

        With --check compare it with one that was written before. Exit status 1 if something differs.
        """
        from datetime import UTC, datetime

        from streams import release as releases
        from streams.build_info import build_info

        artifacts = [*map(releases.wheel, wheel or ()), *map(releases.image, image or ())]
        here = releases.describe(datetime.now(UTC), build_info(), artifacts, lock or ())
        if check is not None:
            _check(check, here, as_json=as_json)
        text = here.model_dump_json(indent=2) + "\n"
        if to is None:
            typer.echo(text, nl=False)
        else:
            to.write_text(text)
            typer.echo(f"release manifest of {here.version}, commit {here.git_commit[:12]}, written to {to}")


def _check(file: Path, here: "Release", *, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from streams.release import deviations, read_release

    released = read_release(file)
    found = list(deviations(released, here))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            typer.secho(f"{one.what}: released {one.released}, here {one.here}", fg="red")
        if not found:
            typer.echo(f"this is release {released.version}, commit {released.git_commit[:12]}")
    raise typer.Exit(1 if found else 0)
