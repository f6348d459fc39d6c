"""``wellsentry replay``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from streams.replay.plan import Asked
    from streams.replay.whole import Done
    from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def replay(
        machines: Annotated[list[str] | None, typer.Argument(help="machine_id of each; without any, all.")] = None,
        machines_file: Annotated[
            Path | None, typer.Option("--machines", help="A file that names one machine a line.")
        ] = None,
        client: Annotated[str | None, typer.Option(help="Machines of this client alone.")] = None,
        begin: Annotated[
            str | None,
            typer.Option("--from", help="Readings that came from then on; ISO 8601, or 2h for two hours ago."),
        ] = None,
        end: Annotated[str | None, typer.Option("--to", help="Up to then; without it up to the newest label.")] = None,
        from_offset: Annotated[int | None, typer.Option(help="From this offset of each partition on.")] = None,
        to_offset: Annotated[int | None, typer.Option(help="Up to, not including.")] = None,
        partition: Annotated[int | None, typer.Option(help="This partition alone.")] = None,
        model: Annotated[
            str | None, typer.Option(help="Under this model (a digest), in place of those then in force.")
        ] = None,
        stack: Annotated[list[str] | None, typer.Option(help="Under these stacks, in place of worker.stacks.")] = None,
        detector: Annotated[list[str] | None, typer.Option(help="STACK=NAME: this detector for that stack.")] = None,
        output: Annotated[
            Path | None, typer.Option(help="Labels go there: .jsonl, as on the topic, or .parquet.")
        ] = None,
        topic: Annotated[str | None, typer.Option(help="Labels go to this topic beside those of production.")] = None,
        diff: Annotated[bool, typer.Option("--diff", help="Compare with the labels given then.")] = False,
        page: Annotated[Path | None, typer.Option(help="The diff as a page, with the largest changes drawn.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Tell the diff as JSON.")] = False,
        work: Annotated[
            Path | None, typer.Option(help="Where an unfinished replay is kept [beside the output].")
        ] = None,
        bisect: Annotated[
            tuple[str, str] | None,
            typer.Option(help="OLD NEW: which model of the machine, or which commit, is the first with other labels."),
        ] = None,
        repository: Annotated[
            Path | None, typer.Option(help="Bisect between commits of this git repository, not between models.")
        ] = None,
        label: Annotated[str | None, typer.Option(help="Bisect: look at this label alone (its id).")] = None,
        field: Annotated[list[str] | None, typer.Option(help="Bisect: look at this field of labels alone.")] = None,
    ) -> None:
        """Judge readings on the topic again, and compare with the labels they got. Nothing of production is touched.

        Under the models then in force it gives the labels of then, to the letter. A replay that was killed goes on where it
        was when the same is asked again. Exit status 1 if labels differ.
        """
        from streams.cli.context import settings_in_force
        from streams.replay.plan import Asked

        settings = settings_in_force()
        if bisect is None and (repository or label or field):
            raise typer.BadParameter("--repository, --label and --field belong to --bisect OLD NEW")
        with_diff = diff or page is not None or as_json
        if bisect is not None and (output or topic or page or model):
            raise typer.BadParameter(
                "--bisect writes nothing and tries models itself: without --output, --topic, --page, --model"
            )
        if output is None and topic is None and not with_diff and bisect is None:
            raise typer.BadParameter("say what is wanted: --diff, --output FILE or --topic NAME")
        asked = Asked(
            machines=_machines(machines, machines_file),
            client=client,
            begin=begin,
            end=end,
            from_offset=from_offset,
            to_offset=to_offset,
            partition=partition,
            model=model,
            output=None if output is None else str(output),
            side_topic=topic,
            **_watched(settings, stack, detector),
        )
        if bisect is not None:
            _bisect(settings, asked, bisect, repository, label, field, work, as_json)
            return
        done = _run(settings, asked, work, with_diff)
        _tell(done, page, as_json)


def _run(settings: "Settings", asked: "Asked", work: Path | None, with_diff: bool) -> "Done":
    import asyncio

    from streams.replay.telling import watched
    from streams.replay.whole import prepare, work_directory
    from streams.replay.whole import replay as replay_all

    prepare(settings)
    directory = work_directory(asked, Path()) if work is None else work
    with watched() as on_progress:
        return asyncio.run(
            replay_all(settings, asked, _bounds(asked), directory, with_diff=with_diff, on_progress=on_progress)
        )


def _tell(done: "Done", page: Path | None, as_json: bool) -> None:
    from schemas.errors import ReplayError
    from streams.replay.telling import sentences, tell_comparison
    from streams.replay.whole import clean_up

    for sentence in sentences(done.plan, done.progress):
        typer.echo(sentence, err=True)
    if not done.progress.labels and (done.comparison is None or not done.comparison.labels_then):
        clean_up(done)
        raise ReplayError(
            "there is nothing to replay: no reading of these machines in this stretch that gets a label, and none was given; "
            "is the machine's name right, and are its readings still on the topic (`wellsentry audit`)?"
        )
    if done.comparison is None:
        clean_up(done)
        return
    if page is not None:
        from streams.replay.page import write_page

        write_page(page, done)
    clean_up(done)
    if as_json:
        typer.echo(done.comparison.model_dump_json())
    else:
        tell_comparison(done.comparison, _console())
    raise typer.Exit(0 if done.comparison.is_same else 1)


def _bisect(
    settings: "Settings", asked: "Asked", ends: tuple[str, str], repository: Path | None, label: str | None,
    field: list[str] | None, work: Path | None, as_json: bool,
) -> None:  # fmt: skip
    import tempfile

    from schemas.labels import Label
    from streams.replay.bisecting import Watch, bisect_commits, bisect_models
    from streams.replay.telling import tell_bisection
    from streams.replay.whole import prepare

    prepare(settings)
    unknown = [name for name in field or [] if name not in Label.model_fields]
    if unknown:
        raise typer.BadParameter(f"a label has no field {unknown[0]}; it has {', '.join(Label.model_fields)}")
    watch = Watch(label, frozenset(field) if field else None)
    with tempfile.TemporaryDirectory(prefix="wellsentry-bisect-") as directory:
        arguments = (settings, asked, _bounds(asked), ends, watch, work or Path(directory), _say)
        found = bisect_models(*arguments) if repository is None else bisect_commits(*arguments, repository)
    typer.echo(found.model_dump_json()) if as_json else tell_bisection(found, _console())


_WIDE = 200


def _console() -> "Console":
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)  # into a file nothing is cut off


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _machines(named: list[str] | None, file: Path | None) -> tuple[str, ...] | None:
    from schemas.errors import BadInputFile

    found = list(named or [])
    if file is not None:
        if not file.is_file():
            raise BadInputFile(f"{file} is not there; give a file that names one machine a line")
        found += [line.strip() for line in file.read_text().splitlines() if line.strip()]
        if not found:
            raise BadInputFile(f"{file} names no machine; give one a line")
    return tuple(sorted(set(found))) if found else None


def _watched(settings: "Settings", stack: list[str] | None, detector: list[str] | None) -> dict[str, Any]:
    """Stacks and detectors that are asked for, and which stacks that changes."""
    from models.stacks import choose_stacks

    knobs = settings.worker
    stacks = tuple(stack or knobs.stacks)
    choose_stacks(stacks)
    detectors = {name: its for name, its in knobs.detectors.items() if name in stacks}
    for text in detector or []:
        name, equals, chosen = text.partition("=")
        if not equals or name not in stacks:
            raise typer.BadParameter(f"--detector {text}: give STACK=NAME, of {', '.join(stacks)}")
        detectors[name] = chosen
    changed = tuple(
        name for name in stacks if name not in knobs.stacks or detectors.get(name) != knobs.detectors.get(name)
    )
    return {"stacks": stacks, "detectors": detectors, "changed": changed}


def _bounds(asked: "Asked") -> Any:
    import time

    from streams.cli.times import moment_ms
    from streams.reading_ranges import Bounds

    now_ms = round(time.time() * 1000)
    from_ms = None if asked.begin is None else moment_ms(asked.begin, now_ms)
    to_ms = None if asked.end is None else moment_ms(asked.end, now_ms)
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise typer.BadParameter("--from must be before --to")
    partitions = None if asked.partition is None else (asked.partition,)
    return Bounds(from_ms, to_ms, asked.from_offset, asked.to_offset, partitions)
