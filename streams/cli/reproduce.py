"""``wellsentry reproduce``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.labels import Label
    from streams.reproduce.again import Again
    from streams.reproduce.evidence import Evidence
    from streams.settings import Settings

#: What the process ends with when the label was not made again to the letter.
_NOT_IDENTICAL = 2


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def reproduce(
        label: Annotated[
            str,
            typer.Argument(
                help="A label's or an incident's id, a file with a label's JSON, - for standard input, or a case's directory."
            ),
        ],
        client: Annotated[str | None, typer.Option(help="Whose it is, where the topics no longer say so.")] = None,
        machine: Annotated[str | None, typer.Option(help="The same.")] = None,
        output: Annotated[
            Path | None, typer.Option(help="Where to save the case [case-LABEL; of a case's directory: nowhere].")
        ] = None,
        with_its_code: Annotated[
            bool, typer.Option("--with-its-code", help="By the label's own git commit, in a worktree.")
        ] = False,
        repository: Annotated[
            Path | None, typer.Option(help="A clone that has this commit [the one this code is run from].")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="What came of it, as JSON.")] = False,
    ) -> None:
        """Make a label again from what it was made of, say what differs and why, and save all of it as a case.

        Ends with status 2 if it is not identical.
        """
        from dataclasses import replace

        from streams.build_info import build_info
        from streams.cli.context import settings_in_force
        from streams.reproduce.again import make_again

        given = Path(label)
        if given.is_dir():
            from streams.reproduce.case_files import load_case

            _, evidence = load_case(given)
            target = output
        else:
            evidence = _gathered(settings_in_force(), label, client, machine)
            target = output or Path(f"case-{evidence.label.label_id}")
        again = make_again(evidence, build_info())
        if target is not None:
            _save(evidence, again, target)
        if with_its_code:
            from streams.reproduce.case_files import load_case
            from streams.reproduce.its_code import by_its_code

            case, _ = load_case(target or given)
            again = replace(again, reproduction=by_its_code(case, target or given, repository))
            if target is not None:
                _save(evidence, again, target)
        _show(evidence, again, target, as_json=as_json)
        if again.reproduction.outcome != "identical":
            raise typer.Exit(_NOT_IDENTICAL)


def _gathered(settings: "Settings", text: str, client: str | None, machine: str | None) -> "Evidence":
    from collections.abc import Iterator

    from schemas.labels import Label
    from schemas.times import LATEST_MS
    from streams.label_store import LabelStore
    from streams.registry import Registry
    from streams.reproduce.gathering import Gathering
    from streams.reproduce.label_ids import parse_label_id
    from streams.reproduce.places import OnTopics

    wanted = _given(text) or parse_label_id(text)

    def read_table(client_id: str, machine_id: str, of_stack: str) -> Iterator[Label]:
        with LabelStore(settings.dynamodb, settings.sink) as store:
            yield from store.read(client_id, machine_id, 0, LATEST_MS + 1, of_stack)

    with OnTopics(settings) as places:
        gathering = Gathering(places, Registry(settings.registry), read_table, settings.worker.max_message_bytes)
        if isinstance(wanted, Label):
            return gathering.gather(wanted, "file")
        return gathering.gather(*gathering.find_label(wanted, client, machine))


def _given(text: str) -> "Label | None":
    """The label itself, where it is given in a file or on standard input."""
    import sys

    from pydantic import ValidationError

    from schemas.errors import BadInputFile
    from schemas.labels import Label

    if text != "-" and not Path(text).is_file():
        return None
    try:
        return Label.model_validate_json(sys.stdin.read() if text == "-" else Path(text).read_text())
    except (ValidationError, ValueError) as error:
        raise BadInputFile(f"{text} holds no label's JSON, as `wellsentry labels --json` writes it: {error}") from error


def _save(evidence: "Evidence", again: "Again", directory: Path) -> None:
    from streams.reproduce.case_files import save_case
    from streams.reproduce.page import write_page
    from streams.reproduce.picture import draw

    case = save_case(evidence, again, directory)
    draw(directory, directory / case.picture)
    write_page(case, evidence, directory)


def _show(evidence: "Evidence", again: "Again", saved_in: Path | None, *, as_json: bool) -> None:
    from streams.reproduce.words import tell

    if as_json:
        typer.echo(again.reproduction.model_dump_json(indent=2))
        return
    for what, said in tell(evidence, again.reproduction):
        typer.echo(f"{what:<10} {said}")
    if saved_in is not None:
        typer.echo(f"{'case':<10} {saved_in}")
